"""Tickets: open, talk, close; to each their own."""

import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db import connection

from notifications import flows
from notifications.models import Attachment, Event, Ticket, TicketMessage
from notifications.models.tickets import TicketClosed
from tests.base import show_second_factor
from tests.notifications.files import picture, upload


@pytest.fixture
def ticket(alice) -> Ticket:
    return flows.open_ticket(customer=alice, subject="Slow site", text="It is slow since Monday.")


def filled(**changes: object) -> dict[str, object]:
    return {"subject": "Slow site", "text": "It is slow.", "token": str(uuid.uuid4()), **changes}


def test_alice_opens_a_ticket_with_a_file(alice, alice_client):
    response = alice_client.post("/tickets/new/", filled(files=[upload("shot.png", picture())]), follow=True)
    ticket = Ticket.objects.get()
    assert response.redirect_chain == [(f"/tickets/{ticket.number}/", 302)]
    page = response.content.decode()
    assert "Slow site" in page and "It is slow." in page and "shot.png" in page and "Waiting for us" in page
    assert ticket.messages.get().attachments.get().content() == picture()
    assert Event.objects.get().message == "ticket_opened"


def test_pages_need_sign_in(anyone, ticket):
    for path in ("/tickets/", "/tickets/new/", f"/tickets/{ticket.number}/"):
        assert anyone.get(path).headers["Location"].startswith("/accounts/login/")


def test_the_list_shows_her_own_alone(alice_client, bob_client, ticket):
    assert "Slow site" in alice_client.get("/tickets/").content.decode()
    page = bob_client.get("/tickets/").content.decode()
    assert "Slow site" not in page and "No ticket yet" in page


def test_bob_cannot_open_answer_or_close_alices_ticket(bob_client, ticket):
    path = f"/tickets/{ticket.number}/"
    assert bob_client.get(path).status_code == 404
    assert bob_client.post(f"{path}answer/", filled()).status_code == 404
    assert bob_client.post(f"{path}close/").status_code == 404
    assert ticket.messages.count() == 1


def test_bob_cannot_speak_in_it_by_any_way(ticket, bob):
    with pytest.raises(PermissionDenied):
        flows.answer_ticket(ticket=ticket, author=bob, text="x")
    with pytest.raises(PermissionDenied):
        flows.close_ticket(ticket=ticket, by=bob)


def test_a_get_changes_nothing(alice_client, ticket):
    for verb in ("answer", "close"):
        assert alice_client.get(f"/tickets/{ticket.number}/{verb}/").status_code == 405
    ticket.refresh_from_db()
    assert ticket.status == "open"


@pytest.mark.parametrize("name", ["x.html", "x.html\u200b.png", "x.svg"])
def test_a_refused_file_keeps_what_was_typed(alice_client, name):
    response = alice_client.post("/tickets/new/", filled(text="My long story", files=[upload(name, b"<svg/>")]))
    page = response.content.decode()
    assert response.status_code == 200 and not Ticket.objects.exists()
    assert "My long story" in page and "Slow site" in page
    assert "We cannot take this kind of file" in page and "please choose your files again" in page


def test_empty_fields_are_named(alice_client):
    page = alice_client.post("/tickets/new/", filled(subject="", text=" ")).content.decode()
    assert page.count("This field is required") >= 2 and not Ticket.objects.exists()


def test_sent_twice_is_one_ticket_and_one_answer(alice_client):
    once = filled()
    first, second = (alice_client.post("/tickets/new/", once).headers["Location"] for _ in range(2))
    assert first == second and Ticket.objects.count() == Event.objects.count() == 1
    again = filled(text="more")
    for _ in range(2):
        assert alice_client.post(f"{first}answer/", again).status_code == 302
    assert TicketMessage.objects.count() == 2


def test_sent_twice_at_the_same_moment_is_one_ticket(dana):
    token, start = uuid.uuid4(), threading.Barrier(3)

    def send(_: int) -> int:
        start.wait()
        try:
            return flows.open_ticket(customer=dana, subject="s", text="t", token=token).number
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        numbers = set(pool.map(send, range(3)))
    assert len(numbers) == 1 and Ticket.objects.count() == 1


def test_each_page_brings_a_token_of_its_own(alice_client):
    tokens = {
        re.search(r'name="token" value="([^"]+)"', alice_client.get("/tickets/new/").content.decode())[1]
        for _ in range(2)
    }
    assert len(tokens) == 2


def test_whose_turn_it_is_follows_who_spoke(ticket, alice, carol):
    flows.answer_ticket(ticket=ticket, author=carol, text="We look.")
    assert ticket.status == "answered"
    flows.answer_ticket(ticket=ticket, author=alice, text="Thank you.")
    assert ticket.status == "open"
    assert [m.is_staff for m in ticket.messages.all()] == [False, True, False]
    assert [e.message for e in Event.objects.order_by("at")] == ["ticket_opened", "ticket_answered"]


def test_each_of_our_answers_is_told(ticket, carol):
    for text in ("one", "two"):
        flows.answer_ticket(ticket=ticket, author=carol, text=text)
    assert Event.objects.filter(message="ticket_answered").count() == 2


def test_alice_closes_it_once(alice_client, ticket):
    for _ in range(2):
        assert alice_client.post(f"/tickets/{ticket.number}/close/").status_code == 302
    ticket.refresh_from_db()
    assert ticket.is_closed and ticket.closed_at
    assert Event.objects.filter(message="ticket_closed").count() == 1


def test_a_closed_ticket_takes_no_answer_and_keeps_the_words(alice_client, ticket, alice, carol):
    flows.close_ticket(ticket=ticket, by=carol)
    with pytest.raises(TicketClosed):
        flows.answer_ticket(ticket=ticket, author=alice, text="x")
    page = alice_client.post(f"/tickets/{ticket.number}/answer/", filled(text="My late words")).content.decode()
    assert "closed in the meantime" in page and "My late words" in page
    assert ticket.messages.count() == 1


def test_what_she_typed_is_only_text(alice_client, alice):
    flows.open_ticket(customer=alice, subject="<script>1</script>", text="<img src=x onerror=1>")
    page = alice_client.get(f"/tickets/{Ticket.objects.get().number}/").content.decode()
    assert "<script>1" not in page and "<img src=x" not in page


def test_no_word_of_it_stands_in_clear(alice, tmp_path):
    from notifications.attachments import CleanFile

    file = CleanFile("canary-name.txt", "text/plain; charset=utf-8", b"canary-content")
    flows.open_ticket(customer=alice, subject="canary-subject", text="canary-text", files=[file])
    with connection.cursor() as cursor:
        for table in ("ticket", "ticketmessage", "attachment", "event", "delivery"):
            cursor.execute(f"SELECT t::text FROM notifications_{table} t")  # noqa: S608
            assert all("canary" not in row for (row,) in cursor.fetchall())
    stored = [path.read_bytes() for path in tmp_path.rglob("*.sealed")]
    assert stored and all(b"canary" not in content for content in stored)


# --- attachments ----------------------------------------------------------------------------------------------------


@pytest.fixture
def file_path(alice_client, alice) -> str:
    alice_client.post("/tickets/new/", filled(files=[upload("x.txt", b"<script>alert(1)</script>")]))
    attachment = Attachment.objects.get()
    return f"/tickets/{attachment.message.ticket.number}/attachments/{attachment.pk}/"


def test_a_file_is_handed_back_as_a_file_only(alice_client, file_path):
    response = alice_client.get(file_path)
    assert response.content == b"<script>alert(1)</script>"
    assert re.fullmatch(r'attachment; filename="ticket-\d+-[0-9a-f]{6}\.txt"', response.headers["Content-Disposition"])
    assert response.headers["Content-Security-Policy"].startswith("sandbox")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response.headers["Cache-Control"]


def test_bob_and_strangers_cannot_have_it(bob_client, anyone, file_path):
    assert bob_client.get(file_path).status_code == 404
    assert anyone.get(file_path).headers["Location"].startswith("/accounts/login/")


def test_an_attachment_belongs_to_its_ticket(alice_client, alice, file_path):
    other = flows.open_ticket(customer=alice, subject="other", text="x")
    assert alice_client.get(f"/tickets/{other.number}/attachments/{file_path.split('/')[-2]}/").status_code == 404


# --- staff ----------------------------------------------------------------------------------------------------------


def staff_path(ticket: Ticket) -> str:
    return f"/admin/notifications/ticket/{ticket.pk}/change/"


def test_carol_reads_and_answers_and_alice_is_told(carol_client, alice_client, ticket):
    assert "It is slow since Monday." in carol_client.get(staff_path(ticket)).content.decode()
    once = {"text": "Mended, sorry.", "token": str(uuid.uuid4())}
    for _ in range(2):
        assert carol_client.post(staff_path(ticket), once).status_code == 302
    ticket.refresh_from_db()
    assert ticket.status == "answered" and ticket.messages.count() == 2
    page = alice_client.get(f"/tickets/{ticket.number}/").content.decode()
    assert "Mended, sorry." in page and "Our staff" in page
    assert Event.objects.filter(message="ticket_answered").count() == 1


def test_carol_answers_and_closes_in_one_step(carol_client, ticket):
    carol_client.post(staff_path(ticket), {"text": "Done.", "close": "on", "token": str(uuid.uuid4())})
    ticket.refresh_from_db()
    assert ticket.is_closed and "Send the answer" not in carol_client.get(staff_path(ticket)).content.decode()


def test_an_empty_answer_is_shown_again(carol_client, ticket):
    response = carol_client.post(staff_path(ticket), {"text": "", "token": str(uuid.uuid4())})
    assert response.status_code == 200 and ticket.messages.count() == 1


def test_carol_sees_no_personal_field_in_it(carol_client, ticket, alice):
    for path in (staff_path(ticket), "/admin/notifications/ticket/"):
        page = carol_client.get(path).content.decode()
        assert alice.ref in page
        assert "alice@example.com" not in page and "9121110001" not in page


def test_carol_opens_an_attachment_in_the_staff_screens(carol_client, alice_client, file_path):
    response = carol_client.get("/admin/notifications/ticket" + file_path.removeprefix("/tickets"))
    assert response.status_code == 200 and response.headers["Content-Security-Policy"].startswith("sandbox")


def test_the_staff_list_can_be_searched_by_number(carol_client, ticket):
    assert str(ticket.number) in carol_client.get(f"/admin/notifications/ticket/?q={ticket.number}").content.decode()


def test_staff_who_may_only_look_cannot_answer(bob, bob_client, ticket):
    bob.is_staff = True
    bob.save()
    bob.user_permissions.add(Permission.objects.get(codename="view_ticket"))
    show_second_factor(bob_client, bob)
    page = bob_client.get(staff_path(ticket)).content.decode()
    assert "It is slow since Monday." in page and "Send the answer" not in page
    assert bob_client.post(staff_path(ticket), {"text": "x", "token": str(uuid.uuid4())}).status_code == 403


def test_alice_cannot_enter_the_staff_screens(alice_client, ticket):
    assert alice_client.get(staff_path(ticket)).status_code == 302
