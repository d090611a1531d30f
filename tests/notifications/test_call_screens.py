"""Staff screens of calls: to ask, to approve and to make are three rights, and nobody sees a number by them."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import Customer, Look
from notifications import flows
from notifications.models import CallTask, VoiceCall
from tests.base import make_customer, show_second_factor

ASK = "/admin/notifications/calltask/ask/"
RIGHTS = ("ask_call", "approve_call", "make_call")


def colleague(number: int, *rights: str) -> tuple[Customer, Client]:
    person = make_customer(f"staff{number}@example.com", f"+98912111006{number}", language="en", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=("view_calltask", *rights)))
    client = Client(headers={"accept-language": "en"})
    client.force_login(person)
    show_second_factor(client, person)
    return person, client


@pytest.fixture
def task(alice, bob) -> CallTask:
    return flows.ask_for_call(customer=alice, number="mobile", reason="service_down", why="The disk is full", by=bob)


def page(task: CallTask) -> str:
    return f"/admin/notifications/calltask/{task.pk}/change/"


def seen(client: Client, task: CallTask) -> str:
    return client.get(page(task)).content.decode()


def buttons(client: Client, task: CallTask) -> set[str]:
    words = seen(client, task)
    return {name for name in ("approve", "refuse", "outcome", "voice", "cancel") if f'value="{name}"' in words}


def test_one_asks_another_approves_a_third_calls(alice, db):
    (asker, asks), (_, approves), (_, makes) = (colleague(n, right) for n, right in enumerate(RIGHTS))
    assert "special circumstances" in asks.get(ASK).content.decode()
    form = {"customer": alice.ref, "reason": "service_down", "number": "mobile", "why": "The disk is full"}
    assert asks.post(ASK, form).status_code == 302
    task = CallTask.objects.get()
    assert (task.asked_by, task.customer, task.why) == (asker, alice, "The disk is full")
    assert buttons(asks, task) == {"cancel"} and buttons(makes, task) == set()
    assert buttons(approves, task) == {"approve", "refuse"}
    said = approves.post(page(task), {"do": "approve"}, follow=True).content.decode()
    assert "Approved; the customer can be called now." in said
    assert buttons(makes, task) == {"outcome", "voice"} and buttons(approves, task) == set()
    said = makes.post(page(task), {"do": "outcome", "outcome": "spoken", "note": "Will look"}, follow=True)
    assert "Written down" in said.content.decode() and "Will look" in said.content.decode()
    task.refresh_from_db()
    assert task.status == "made" and buttons(makes, task) == buttons(asks, task) == set()


def test_ones_own_request_cannot_be_approved_and_the_page_says_so(alice):
    person, client = colleague(1, *RIGHTS)
    task = flows.ask_for_call(customer=alice, number="mobile", reason="service_down", why="Down", by=person)
    assert "You asked for this call, so a colleague has to decide on it." in seen(client, task)
    assert buttons(client, task) == {"cancel"}
    said = client.post(page(task), {"do": "approve"}, follow=True).content.decode()
    task.refresh_from_db()
    assert task.status == "asked" and "Please let a colleague do so." in said


@pytest.mark.parametrize("right", [*RIGHTS, ""])
@pytest.mark.parametrize(
    ("do", "needs"),
    [
        ("approve", "approve_call"),
        ("refuse", "approve_call"),
        ("outcome", "make_call"),
        ("voice", "make_call"),
        ("cancel", "ask_call"),
        ("delete", "none"),
    ],
)
def test_each_deed_needs_its_own_right(task, right, do, needs):
    _person, client = colleague(1, right)
    if right != needs:
        assert client.post(page(task), {"do": do, "outcome": "spoken"}).status_code == 403
        task.refresh_from_db()
        assert task.status == "asked" and task.events.count() == 1


@pytest.mark.parametrize("right", ["approve_call", "make_call", ""])
def test_asking_needs_the_right_to_ask(db, right):
    _person, client = colleague(1, right)
    assert client.get(ASK).status_code == client.post(ASK, {}).status_code == 403
    assert ASK not in client.get("/admin/notifications/calltask/").content.decode()


def test_customers_find_no_such_screen(task, alice_client, anyone):
    for client in (alice_client, anyone):
        assert client.get(page(task)).status_code == client.get(ASK).status_code == 302


def test_bad_input_is_told(alice, carol_client):
    form = {"customer": alice.ref, "reason": "service_down", "number": "mobile", "why": "The disk is full"}
    wrong = {
        "There is no customer of this reference.": {"customer": "nobody"},
        "There is no ticket of this number.": {"ticket": "99"},
        "This customer has given us no such number.": {"number": "landline"},
        "Please name the ticket": {"reason": "customer_asked"},
        "Select a valid choice": {"reason": "special_offer"},
    }
    for words, change in wrong.items():
        assert words in carol_client.post(ASK, form | change).content.decode()
    assert not CallTask.objects.exists()


def test_from_a_ticket_it_is_asked_for_with_the_ticket(alice, carol_client):
    ticket = flows.open_ticket(customer=alice, subject="Slow", text="Please call me")
    link = f"{ASK}?ticket={ticket.number}&amp;reason=customer_asked"
    assert link in carol_client.get(f"/admin/notifications/ticket/{ticket.pk}/change/").content.decode()
    assert f'value="{ticket.number}"' in carol_client.get(link.replace("&amp;", "&")).content.decode()
    form = {"ticket": str(ticket.number), "reason": "customer_asked", "number": "mobile", "why": "Wants to talk"}
    carol_client.post(ASK, form)
    task = CallTask.objects.get()
    assert (task.customer, task.ticket) == (alice, ticket)


def test_a_slower_colleague_is_told(task, carol, carol_client):
    flows.refuse_call(task=task, by=carol)
    said = carol_client.post(page(task), {"do": "approve"}, follow=True).content.decode()
    assert "A colleague was faster; nothing was changed." in said


# --- the number ------------------------------------------------------------------------------------------------------


def test_no_number_stands_on_any_of_the_screens(task, carol, carol_client):
    flows.approve_call(task=task, by=carol)
    for path in ("/admin/notifications/calltask/", page(task), ASK):
        assert "9121110001" not in carol_client.get(path).content.decode()


def test_it_is_revealed_by_its_own_room_alone_with_the_call_as_reason(task, alice, carol, carol_client, alice_client):
    assert "Show the number" not in seen(carol_client, task), "not before it is approved"
    flows.approve_call(task=task, by=carol)
    words = seen(carol_client, task)
    link = words.split("Show the number")[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    assert link.startswith(f"/admin/accounts/customer/{alice.pk}/reveal/?")
    why = parse_qs(urlsplit(link).query)["why"][0]
    assert why == f"Call {task}: A service is down", "nothing personal stands in an address"
    form = carol_client.get(link).content.decode()
    assert f'value="{why}"' in form and "9121110001" not in form
    shown = carol_client.post(link, {"why": why}).content.decode()
    assert "+989121110001" in shown and "alice@example.com" not in shown, "the number and no more"
    assert Look.objects.get().fields == ["mobile"]
    assert why in alice_client.get("/profile/access-log/").content.decode()


# --- the operator's voice --------------------------------------------------------------------------------------------


def test_the_operator_is_let_call_and_the_page_shows_what_it_says(dana, joined, db):
    (asker, _client), (approver, client) = colleague(1, "ask_call"), colleague(2, *RIGHTS)
    task = flows.ask_for_call(customer=dana, number="mobile", reason="service_down", why="Down", by=asker)
    flows.approve_call(task=task, by=approver)
    assert "One of your services is down. We are working on it." in seen(client, task)
    said = client.post(page(task), {"do": "voice"}, follow=True).content.decode()
    assert "Handed to the operator" in said and "The operator is making this call." in said
    (call,) = joined.sms()
    assert call["kind"] == "call" and VoiceCall.objects.get().called_by == approver
    assert buttons(client, task) == set()
    said = client.post(page(task), {"do": "voice"}, follow=True).content.decode()
    assert "A colleague was faster" in said and len(joined.sms()) == 1
