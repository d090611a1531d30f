"""The screen of broadcasts: what it shows, and who may do what with one."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import Customer
from notifications import flows
from notifications.models import Broadcast, Delivery, Event
from tests.base import make_customer, show_second_factor
from tests.notifications.crowds import approved, crowd, prepared

pytestmark = pytest.mark.django_db
SCREEN = "/admin/notifications/broadcast/"


def staff(name: str, *rights: str) -> Client:
    """Somebody of the staff who holds exactly these rights of this room."""
    number = sum(name.encode())
    person = make_customer(f"{name}@example.com", f"+98912111{number:04d}", language="en", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(content_type__app_label="notifications", codename__in=rights))
    client = Client(headers={"accept-language": "en"})
    client.force_login(person)
    show_second_factor(client, person)
    client.person = person
    return client


@pytest.fixture
def dave(db) -> Client:
    return staff("dave", "prepare_broadcast")


@pytest.fixture
def erin(db) -> Client:
    return staff("erin", "approve_broadcast")


@pytest.fixture
def frank(db) -> Client:
    """Only looks."""
    return staff("frank", "view_broadcast")


def page(client: Client, broadcast: Broadcast, **how) -> str:
    response = client.get(f"{SCREEN}{broadcast.pk}/change/", **how)
    assert response.status_code == 200
    return response.content.decode()


def press(client: Client, broadcast: Broadcast, deed: str, **data) -> str:
    response = client.post(f"{SCREEN}{broadcast.pk}/{deed}/", data, follow=True)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def now(broadcast: Broadcast) -> str:
    return Broadcast.objects.get(pk=broadcast.pk).status


def cell(html: str, channel: str, group: str) -> str:
    row = html.split(f'<th scope="row">{channel}</th>')[1].split("</tr>")[0]
    return row.split(f'data-group="{group}">')[1].split("<")[0]


# --- what it shows ----------------------------------------------------------------------------------------------------


def test_audience_cost_and_the_words_in_both_languages_by_both_channels(erin, carol, settings):
    settings.SMS_SEGMENT_RIAL = 2_500
    crowd(3)
    broadcast = prepared(carol)
    html = page(erin, broadcast)
    assert "New version of our privacy policy" in html and "version 2 of our privacy policy holds from" in html
    assert 'lang="fa" dir="rtl"' in html and 'lang="en" dir="ltr"' in html
    assert f"{broadcast.sms_segments * 2_500:,} Rial" in html and "letters, 2 segments" in html
    assert "<strong>3</strong>" in html and "3 readers" in html


@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_screens_are_read_in_both_languages(erin, carol, alice, language):
    broadcast = approved(carol)
    flows.fan_out(broadcast=broadcast)
    for address in (SCREEN, f"{SCREEN}{broadcast.pk}/change/"):
        response = erin.get(address, headers={"accept-language": language})
        html = response.content.decode()
        assert response.status_code == 200 and f'lang="{language}"' in html
    assert "style=" not in html.split('class="staff-deeds"')[1].split("</main>")[0]


def test_it_looks_again_by_itself_only_while_something_moves(frank, carol, alice):
    broadcast = prepared(None)
    address = f"{SCREEN}{broadcast.pk}/change/"
    assert "Refresh" not in frank.get(address).headers
    flows.approve_broadcast(broadcast=broadcast, by=carol)
    assert frank.get(address).headers["Refresh"] == "5"
    flows.fan_out_due()
    assert frank.get(address).headers["Refresh"] == "5"
    flows.pause_broadcast(broadcast=broadcast, by=carol)
    assert "Refresh" not in frank.get(address).headers


def test_each_channel_is_counted_by_what_came_of_it(frank, carol):
    crowd(4)
    broadcast = approved(carol)
    flows.fan_out(broadcast=broadcast)
    for n, (sms, mail) in enumerate(zip(*(Delivery.objects.filter(channel=c) for c in ("sms", "email")), strict=True)):
        Delivery.objects.filter(pk=sms.pk).update(status=("delivered", "blocked", "unknown", "queued")[n])
        Delivery.objects.filter(pk=mail.pk).update(status=("accepted", "accepted", "parked", "suppressed")[n])
    html = page(frank, broadcast)
    assert [cell(html, "SMS", group) for group in ("delivered", "blocked", "unknown", "waiting")] == ["1"] * 4
    assert cell(html, "E-mail", "accepted") == "2" and cell(html, "E-mail", "parked") == "1"
    assert cell(html, "E-mail", "suppressed") == "1" and cell(html, "E-mail", "waiting") == "0"
    assert '<rect width="500" height="10"/>' in html and '<rect width="1000" height="10"/>' in html
    assert 'value="75"' in frank.get(SCREEN).content.decode()


def test_who_was_not_reached_is_named_by_reference(frank, carol):
    reached, missed = crowd(2)
    broadcast = approved(carol)
    flows.fan_out(broadcast=broadcast)
    Delivery.objects.filter(reader=reached).update(status="accepted")
    Delivery.objects.filter(reader=missed).update(status="undelivered")
    flows.fan_out_due()
    html = page(frank, broadcast)
    assert now(broadcast) == "done"
    assert missed.ref in html and reached.ref not in html and "crowd" not in html


def test_a_large_one_takes_no_more_queries(frank, carol, django_assert_max_num_queries):
    crowd(30)
    broadcast = approved(carol)
    flows.fan_out(broadcast=broadcast)
    flows.pause_broadcast(broadcast=broadcast, by=carol)
    with django_assert_max_num_queries(14):
        page(frank, broadcast)
    for n in range(10):
        prepared(None, source=f"policy:{n}")
    with django_assert_max_num_queries(14):
        assert frank.get(SCREEN).status_code == 200


# --- what staff do ----------------------------------------------------------------------------------------------------


def test_who_prepared_it_is_refused_in_words_and_a_colleague_sends_it(dave, erin, alice):
    both = staff("gina", "prepare_broadcast", "approve_broadcast")
    broadcast = prepared(both.person)
    assert "a colleague has to approve it" in page(both, broadcast)
    assert "Approve and send" not in page(both, broadcast)
    assert "Please let a colleague do so" in press(both, broadcast, "approve")
    assert now(broadcast) == "ready"
    assert "begins within seconds" in press(erin, broadcast, "approve")
    assert "A colleague was faster" in press(erin, broadcast, "approve")
    assert now(broadcast) == "approved"
    assert Broadcast.objects.get().approved_by == erin.person


def test_an_operators_command_needs_one_colleague(erin, alice):
    broadcast = prepared(None)
    assert "any one colleague may approve it" in page(erin, broadcast)
    press(erin, broadcast, "approve")
    assert now(broadcast) == "approved"


def test_a_preview_comes_to_who_asks_for_it(dave, carol):
    broadcast = prepared(carol)
    assert "on its way to your own e-mail and mobile" in press(dave, broadcast, "preview")
    event = Event.objects.get()
    assert event.customer == dave.person and event.deliveries.count() == 2
    assert now(broadcast) == "ready"


def test_it_is_held_and_goes_on(dave, erin, carol, alice):
    broadcast = approved(carol)
    flows.fan_out(broadcast=broadcast)
    assert "nothing more goes out" in press(dave, broadcast, "pause")
    assert now(broadcast) == "paused"
    assert dave.post(f"{SCREEN}{broadcast.pk}/resume/").status_code == 403, "who holds the right to approve"
    assert "It goes on" in press(erin, broadcast, "resume")
    assert now(broadcast) == "sending"


def test_it_is_stopped_with_a_reason(dave, carol, alice):
    broadcast = approved(carol)
    flows.fan_out(broadcast=broadcast)
    for odd in ({}, {"why": "because"}):
        press(dave, broadcast, "kill", **odd)
        assert now(broadcast) == "sending"
    html = press(dave, broadcast, "kill", why="words")
    assert now(broadcast) == "killed" and "Its words are wrong" in html and dave.person.ref in html
    assert {row.last_code for row in Delivery.objects.all()} == {"killed"}
    assert "A colleague was faster" in press(dave, broadcast, "kill", why="words")
    assert "Stop it for good" not in page(dave, broadcast)


@pytest.mark.parametrize("deed", ["approve", "preview", "pause", "resume", "kill"])
def test_who_only_looks_does_nothing_and_looking_does_nothing(frank, erin, carol, alice, deed):
    broadcast = approved(carol) if deed in ("pause", "kill") else prepared(carol)
    before = now(broadcast)
    assert frank.post(f"{SCREEN}{broadcast.pk}/{deed}/", {"why": "words"}).status_code == 403
    assert erin.get(f"{SCREEN}{broadcast.pk}/{deed}/").status_code == 403
    assert now(broadcast) == before and not Event.objects.exists()
    assert f"/{deed}/" not in page(frank, broadcast)


@pytest.mark.parametrize("deed", ["approve", "pause"])
def test_each_right_opens_its_own_buttons_alone(dave, carol, alice, deed):
    broadcast = prepared(carol)
    if deed == "approve":
        assert dave.post(f"{SCREEN}{broadcast.pk}/approve/").status_code == 403
        assert "/approve/" not in page(dave, broadcast)
    else:
        assert "A colleague was faster" in press(dave, broadcast, "pause"), "there is nothing to pause yet"
    assert now(broadcast) == "ready"


def test_nobody_adds_edits_or_deletes_one_by_hand(carol_client, carol, alice):
    broadcast = prepared(carol)
    assert carol_client.get(f"{SCREEN}add/").status_code == 403
    assert carol_client.post(f"{SCREEN}{broadcast.pk}/delete/", {"post": "yes"}).status_code == 403
    carol_client.post(f"{SCREEN}{broadcast.pk}/change/", {"message": "another"})
    assert Broadcast.objects.get().message == "policy_published"


def test_without_a_right_there_is_no_screen(alice_client, carol, alice):
    broadcast = prepared(carol)
    assert alice_client.get(SCREEN).status_code == 302
    nobody = staff("heidi")
    assert nobody.get(SCREEN).status_code == 403
    assert nobody.get(f"{SCREEN}{broadcast.pk}/change/").status_code == 403
    assert staff("ivan", "view_broadcast").get(f"{SCREEN}999999/change/").status_code == 404
    assert Customer.objects.count() == 4


def test_customers_read_it_in_their_messages(alice_client, alice, carol, bob):
    flows.fan_out(broadcast=approved(carol))
    assert "New version of our privacy policy" in alice_client.get("/messages/").content.decode()
    html = alice_client.get(Event.objects.get(customer=alice).get_absolute_url()).content.decode()
    assert "version 2 of our privacy policy" in html
    assert alice_client.get(Event.objects.get(customer=bob).get_absolute_url()).status_code == 404
