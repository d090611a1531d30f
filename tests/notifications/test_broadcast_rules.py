"""What may be told to many at all, who stands behind it, and how it is held and stopped."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from accounts.models import Customer
from notifications import flows
from notifications.flows.broadcasts import not_before, sms_segments
from notifications.models import Broadcast, Delivery, Event
from tests.base import make_customer
from tests.notifications.crowds import WORDS, approved, crowd, prepared

S = Broadcast.Status
pytestmark = pytest.mark.django_db


@pytest.fixture
def dave(db) -> Customer:
    """Carol's colleague."""
    return make_customer("dave@example.com", "+989121110007", language="fa", is_staff=True)


# --- what may be said -------------------------------------------------------------------------------------------------


def test_the_database_knows_no_reason_to_advertise(carol):
    broadcast = prepared(carol)
    with pytest.raises(IntegrityError), transaction.atomic():
        Broadcast.objects.filter(pk=broadcast.pk).update(reason="marketing")
    with pytest.raises(IntegrityError), transaction.atomic():
        prepared(carol, reason="news")


@pytest.mark.parametrize("message", ["phone_code", "payment_received", "password_changed", "ticket_answered"])
def test_what_is_one_persons_own_goes_to_no_crowd(carol, message):
    with pytest.raises(ValueError, match="not for many"):
        prepared(carol, message=message)


@pytest.mark.parametrize("odd", [["a"], {"fa": "x"}, {"fa": [], "en": []}, 1.5])
def test_only_plain_words_are_said_to_many(carol, odd):
    with pytest.raises(ValueError, match="said to nobody"):
        prepared(carol, context={**WORDS, "version": odd})
    assert not Broadcast.objects.exists()


def test_each_language_gets_its_own_of_a_pair(carol, alice, bob):
    broadcast = approved(carol, context={**WORDS, "version": {"fa": "دوم", "en": "second"}})
    flows.fan_out(broadcast=broadcast)
    words = {event.customer: flows.broadcasts.render(event, "sms").text for event in Event.objects.all()}
    assert "version second of" in words[alice] and "دوم" in words[bob]
    assert all(event.context is None for event in Event.objects.all())


# --- the snapshot -----------------------------------------------------------------------------------------------------


def test_the_audience_is_frozen_and_counted(carol, alice, bob):
    broadcast = prepared(carol)
    make_customer("late@example.com", "+989121110008")
    assert broadcast.status == S.READY
    assert {(r.customer, r.reader, r.language) for r in broadcast.recipients.all()} == {
        (alice, alice, "en"),
        (bob, bob, "fa"),
    }
    assert (broadcast.customers, broadcast.readers) == (2, 2)


def test_the_cost_is_foretold_in_parts_of_an_sms(carol, settings):
    settings.SMS_SEGMENT_RIAL = 2_500
    crowd(5)
    broadcast = prepared(carol)
    parts = 3 * sms_segments(broadcast, "en") + 2 * sms_segments(broadcast, "fa")
    assert sms_segments(broadcast, "fa") == 2
    assert (broadcast.sms_segments, broadcast.cost) == (parts, parts * 2_500)


def test_a_broadcast_to_nobody_is_ready_too(carol):
    broadcast = prepared(carol, audience=Customer.objects.none().values("pk"))
    assert (broadcast.status, broadcast.customers, broadcast.cost) == (S.READY, 0, 0)


# --- two people -------------------------------------------------------------------------------------------------------


def test_who_prepared_it_cannot_approve_it(carol, dave):
    broadcast = prepared(carol)
    with translation.override("en"), pytest.raises(flows.NotAllowed, match="let a colleague"):
        flows.approve_broadcast(broadcast=broadcast, by=carol)
    assert flows.approve_broadcast(broadcast=broadcast, by=dave)
    assert not flows.approve_broadcast(broadcast=broadcast, by=dave), "twice is once"
    assert [(step.now, step.by) for step in broadcast.events.all()] == [("ready", carol), ("approved", dave)]


def test_the_database_itself_wants_two_people(carol):
    broadcast = prepared(carol)
    with pytest.raises(IntegrityError, match="takes_two"), transaction.atomic():
        Broadcast.objects.filter(pk=broadcast.pk).update(status=S.APPROVED, approved_by=carol)
    with pytest.raises(IntegrityError, match="was_approved"), transaction.atomic():
        Broadcast.objects.filter(pk=broadcast.pk).update(status=S.SENDING)


def test_what_an_operators_command_prepared_needs_one_member_of_staff(carol):
    broadcast = prepared(None)
    assert flows.fan_out_due() == 0
    assert flows.approve_broadcast(broadcast=broadcast, by=carol)


def test_only_an_incident_is_urgent_and_goes_out_at_once(carol, alice):
    with pytest.raises(IntegrityError, match="urgent_is_incident"), transaction.atomic():
        prepared(carol, urgent=True)
    broadcast = prepared(carol, reason="incident", source="incident:1", urgent=True)
    assert (broadcast.status, broadcast.approved_by, broadcast.heeds_quiet_hours) == (S.APPROVED, None, False)
    assert flows.fan_out_due() == 2


@pytest.mark.parametrize("status", S.values)
def test_nothing_goes_another_way_than_allowed(carol, status):
    broadcast = prepared(carol)
    steps = {
        S.READY: lambda: broadcast.get_ready(),
        S.APPROVED: lambda: broadcast.approve(None),
        S.SENDING: lambda: broadcast.start(),
        S.PAUSED: lambda: broadcast.pause(None),
        S.KILLED: lambda: broadcast.kill(None, "over"),
        S.DONE: lambda: broadcast.finish(),
    }
    Broadcast.objects.filter(pk=broadcast.pk).update(is_urgent=True, reason="incident", status=status)
    for step, take in steps.items():
        with transaction.atomic():
            if step == status:
                assert not take()
            elif step in Broadcast.NEXT[S(status)]:
                assert take()
            else:
                with pytest.raises(ValueError, match="not allowed"):
                    take()
            Broadcast.objects.filter(pk=broadcast.pk).update(status=status)


# --- held and stopped -------------------------------------------------------------------------------------------------


def test_a_paused_one_hands_out_nothing_and_a_resumed_one_goes_on(carol, alice, bob):
    broadcast = approved(carol)
    flows.fan_out(broadcast=broadcast)
    assert flows.pause_broadcast(broadcast=broadcast, by=carol)
    assert not Delivery.objects.unclaimed().exists()
    assert Delivery.objects.take("bulk", 10, dt.timedelta(seconds=20), again=False) == []
    assert flows.deliver(Delivery.objects.first().pk) is None, "not even by a hint that was out already"
    assert flows.resume_broadcast(broadcast=broadcast, by=carol)
    assert Delivery.objects.unclaimed().count() == 4


def test_a_pause_holds_nothing_else(carol, alice, tell):
    broadcast = approved(carol)
    flows.fan_out(broadcast=broadcast)
    tell(alice, "password_changed")
    flows.pause_broadcast(broadcast=broadcast, by=carol)
    assert {row.lane for row in Delivery.objects.unclaimed()} == {"money"}


def test_a_stopped_one_sends_nothing_more_and_says_so(carol, alice, bob):
    broadcast = approved(carol)
    flows.fan_out(broadcast=broadcast)
    sent, tried, doubted, *_ = Delivery.objects.order_by("channel")
    Delivery.objects.filter(pk=sent.pk).update(status="accepted")
    Delivery.objects.filter(pk=tried.pk).update(status="sending")
    assert flows.kill_broadcast(broadcast=broadcast, by=carol, why="words")
    assert not flows.kill_broadcast(broadcast=broadcast, by=carol, why="words")
    found = {row.pk: (row.status, row.last_code) for row in Delivery.objects.all()}
    assert found.pop(sent.pk)[0] == "accepted" and found.pop(tried.pk)[0] == "sending"
    assert set(found.values()) == {("suppressed", "killed")}
    step = broadcast.events.last()
    assert (step.now, step.by, step.why) == ("killed", carol, "words")
    # The try that was under way failed: it is not tried again.
    Delivery.objects.filter(pk=tried.pk).update(status="queued")
    assert not Delivery.objects.unclaimed().exists()
    flows.fan_out_due()
    assert Delivery.objects.get(pk=tried.pk).last_code == "killed"
    assert doubted.pk in found


def test_one_is_stopped_before_it_began(carol, alice):
    broadcast = prepared(carol)
    assert flows.kill_broadcast(broadcast=broadcast, by=carol, why="audience")
    assert flows.fan_out_due() == 0 and not Event.objects.exists()


# --- the hour ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "then"),
    [
        ("2026-11-27 08:00", None),
        ("2026-11-27 21:59", None),
        ("2026-11-27 22:00", "2026-11-28 08:00"),
        ("2026-11-27 23:59", "2026-11-28 08:00"),
        ("2026-11-28 00:00", "2026-11-28 08:00"),
        ("2026-11-28 07:59", "2026-11-28 08:00"),
    ],
)
def test_what_can_wait_wakes_nobody(at, then):
    here = ZoneInfo("Asia/Tehran")
    moment = dt.datetime.fromisoformat(at).replace(tzinfo=here)
    morning = dt.datetime.fromisoformat(then).replace(tzinfo=here) if then else moment
    assert not_before(Broadcast(), moment.astimezone(dt.UTC)) == morning
    assert not_before(Broadcast(heeds_quiet_hours=False), moment) == moment


# --- looking at it ----------------------------------------------------------------------------------------------------


def test_a_preview_is_the_real_message_and_counted_nowhere(carol, alice):
    broadcast = prepared(carol)
    event = flows.preview_broadcast(broadcast=broadcast, to=carol)
    assert event.customer == carol and event.key.startswith(f"preview:{broadcast.pk}:")
    assert {way.channel: way.recipient for way in event.deliveries.all()} == {
        "email": carol.email,
        "sms": carol.mobile,
    }
    real = flows.broadcasts.as_event(broadcast, "en")
    assert flows.broadcasts.render(event, "sms") == flows.broadcasts.render(real, "sms")
    assert broadcast.progress() == [] and broadcast.fanned == 0
    assert flows.preview_broadcast(broadcast=broadcast, to=carol).key.rpartition(":")[0] == event.key.rpartition(":")[0]
