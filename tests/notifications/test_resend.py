"""Sending again what did not arrive: what may go, where to, and what never does."""

import datetime as dt
import threading
from collections.abc import Iterator

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone, translation

from notifications import flows
from notifications.models import Delivery, Event, Preference, Resend, Suppression
from tests.base import make_customer
from tests.notifications.base import only


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def ended(way: Delivery, status: str, code: str = "11") -> Delivery:
    Delivery.objects.filter(pk=way.pk).update(status=status, last_code=code, not_before=None)
    return Delivery.objects.get(pk=way.pk)


@pytest.fixture
def staff(transactional_db):
    return make_customer("carol@example.com", "+989121110003", language="en", is_staff=True)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("parked", "422"),
        ("undelivered", "11"),
        ("blocked", "14"),
        ("suppressed", "no-address"),
        ("suppressed", "bounced"),
    ],
)
def test_what_did_not_arrive_goes_again(alice, carol, tell, status, code):
    way = ended(only(tell(alice, "password_changed"), "sms"), status, code)
    before = way.local_ref
    assert flows.send_again(delivery=way, by=carol, why="asked")
    way.refresh_from_db()
    assert (way.status, way.tries, way.last_code, way.at_account, way.recipient) == ("queued", 0, "", True, None)
    assert way.not_before and way.local_ref != before
    again = Resend.objects.get()
    assert (again.delivery, again.by, again.why) == (way, carol, "asked") and again.at


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        ("sending", "", "may still arrive"),
        ("unknown", "network", "may still arrive"),
        ("accepted", "ok", "may still arrive"),
        ("delivered", "10", "has arrived"),
        ("expired", "", "of no use"),
        ("suppressed", "erased", "stopped for good"),
        ("suppressed", "killed", "stopped for good"),
    ],
)
def test_what_may_arrive_or_was_stopped_does_not(alice, carol, tell, status, code, said):
    way = ended(only(tell(alice, "password_changed"), "sms"), status, code)
    with pytest.raises(flows.CannotResend, match=said):
        flows.send_again(delivery=way, by=carol, why="asked")
    way.refresh_from_db()
    assert way.status == status and not Resend.objects.exists()


@pytest.mark.parametrize(
    ("message", "channel"),
    [("phone_code", "sms"), ("login_code", "email"), ("password_reset", "email"), ("contact_changed", "email")],
)
def test_no_code_and_no_link_goes_again_even_while_it_is_known(alice, carol, tell, message, channel):
    """The link that undoes a change of address was for the old address; the one of now may be a thief's."""
    event = tell(alice, message, to={channel: "old@example.com" if channel == "email" else "+989121119999"})
    way = ended(only(event, channel), "undelivered")
    assert event.context
    with pytest.raises(flows.CannotResend, match="Codes and links are never sent a second time"):
        flows.send_again(delivery=way, by=carol, why="asked")


def test_what_is_out_of_date_does_not(alice, carol, tell):
    event = tell(alice, "password_changed", expires_in=dt.timedelta(hours=1))
    way = ended(only(event, "sms"), "undelivered")
    Event.objects.filter(pk=event.pk).update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    with pytest.raises(flows.CannotResend, match="of no use"):
        flows.send_again(delivery=way, by=carol, why="asked")


def test_what_has_lost_its_words_does_not(alice, carol, tell):
    event = tell(alice, "password_changed")
    Event.objects.filter(pk=event.pk).update(context=None)
    with pytest.raises(flows.CannotResend, match="deleted with the account"):
        flows.send_again(delivery=ended(only(event, "sms"), "parked"), by=carol, why="asked")


def test_it_waits_until_the_suppression_is_lifted(alice, carol, tell):
    way = ended(only(tell(alice, "invoice_issued"), "email"), "suppressed", "bounced")
    Suppression.objects.create(reader=alice, channel="email", reason="hard", code="5.1.1")
    with pytest.raises(flows.CannotResend, match="come back"):
        flows.send_again(delivery=way, by=carol, why="address")
    assert Suppression.objects.open().exists(), "it lifts nothing by itself"
    flows.lift_suppression(reader=alice, channel="email", why="works", by=carol)
    assert flows.send_again(delivery=way, by=carol, why="address")


def test_an_account_without_an_address_gets_none(alice, carol, tell):
    alice.mobile = None
    alice.save()
    way = only(tell(alice, "password_changed"), "sms")
    assert (way.status, way.last_code) == ("suppressed", "no-address")
    with pytest.raises(flows.CannotResend, match="no address for this channel"):
        flows.send_again(delivery=way, by=carol, why="asked")


def test_who_does_not_read_for_the_customer_any_more_gets_none(alice, bob, carol, tell):
    way = ended(only(tell(alice, "invoice_issued", readers=[bob]), "email"), "undelivered")
    with pytest.raises(flows.CannotResend, match="any more"):
        flows.send_again(delivery=way, by=carol, why="asked")


def test_it_reaches_the_address_of_now_under_a_new_number(dana, staff, joined, tell):
    event = tell(dana, "password_changed")
    letter, text = (only(event, channel) for channel in ("email", "sms"))
    for way in (letter, text):
        assert flows.deliver(way.pk) == "accepted"
        ended(Delivery.objects.get(pk=way.pk), "undelivered")
    dana.email, dana.mobile = "new@example.com", "+989121110088"
    dana.save()
    for way in (letter, text):
        assert flows.send_again(delivery=way, by=staff, why="address") and flows.deliver(way.pk) == "accepted"
    first, second = joined.mail()
    assert second["to"] == "new@example.com" and first["message_id"] != second["message_id"]
    once, twice = joined.sms()
    assert twice["to"].endswith("9121110088") and once["localid"] != twice["localid"]


def test_mended_words_are_those_in_force_now(alice, carol, tell, published):
    way = only(tell(alice, "invoice_issued"), "email")
    Delivery.objects.filter(pk=way.pk).update(wording=published)
    for why, kept in (("provider", published.pk), ("words", None)):
        assert flows.send_again(delivery=ended(way, "parked"), by=carol, why=why)
        way.refresh_from_db()
        assert way.wording_id == kept


def test_two_who_press_at_once_send_it_once(dana, staff, tell):
    way, said = ended(only(tell(dana, "password_changed"), "sms"), "undelivered"), []
    ready = threading.Barrier(2)

    def press() -> None:
        ready.wait(5)
        said.append(flows.send_again(delivery=way, by=staff, why="asked"))
        connection.close()

    hands = [threading.Thread(target=press) for _n in range(2)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(20)
    assert sorted(said) == [False, True] and Resend.objects.count() == 1


def test_who_and_why_is_never_changed(alice, carol, erin, tell):
    flows.send_again(delivery=ended(only(tell(alice, "password_changed"), "sms"), "parked"), by=carol, why="asked")
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        Resend.objects.update(by=erin)


def test_the_database_knows_four_reasons(alice, carol, tell):
    way = only(tell(alice, "password_changed"), "sms")
    with pytest.raises(IntegrityError, match="resend_reason_is_known"), transaction.atomic():
        Resend.objects.create(delivery=way, by=carol, why="fun")


def test_a_preference_for_quiet_hours_does_not_hold_it(alice, carol, tell):
    Preference.objects.create(reader=alice, quiet_from=dt.time(0), quiet_until=dt.time(23, 59))
    way = ended(only(tell(alice, "ticket_answered"), "sms"), "undelivered")
    assert flows.send_again(delivery=way, by=carol, why="asked")
    assert Delivery.objects.unclaimed().filter(pk=way.pk).exists()
