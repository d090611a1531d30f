"""Leases: what a dead worker held is taken over, what a slow one says too late does not count, one clock decides."""

import datetime as dt

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from notifications import flows
from notifications.flows import carrying, delivering
from notifications.models import Delivery, Outcome
from tests.notifications.base import TURN, claimed, due_now, lease_runs_out, only


def test_what_a_dead_worker_sent_is_found_and_not_doubled(dana, tell, joined):
    way = only(tell(dana, "password_changed"), "sms")
    carrying.carry(claimed(way), "kavenegar", TURN)  # and dies before it writes the answer down
    assert flows.deliver(way.pk) is None and not flows.tidy()
    lease_runs_out(way)
    assert flows.tidy() == {"let go": 1}
    assert flows.deliver(way.pk) == "accepted" and len(joined.sms()) == 1


def test_what_a_dead_worker_did_not_send_is_sent(dana, tell, joined):
    event = tell(dana, "password_changed")
    for way in event.deliveries.all():
        claimed(way)
        lease_runs_out(way)
    assert flows.tidy() == {"let go": 2}
    flows.deliver_due()
    due_now(only(event, "sms"))
    flows.deliver_due()
    assert (len(joined.sms()), len(joined.mail())) == (1, 1)
    assert {way.status for way in event.deliveries.all()} == {"accepted"}


def test_a_slow_worker_cannot_overwrite_who_took_over(dana, tell, joined):
    way = only(tell(dana, "confirm_email"), "email")
    (slow,) = claimed(way)
    lease_runs_out(way)
    flows.tidy()
    assert flows.deliver(way.pk) == "accepted"
    for late in (Outcome(slow, "queued", "late", 1), Outcome(slow, "accepted", "ok", None, "late")):
        assert not delivering.settle([late])
    way.refresh_from_db()
    assert way.status == "accepted" and way.provider_ref != "late"
    assert [attempt.code for attempt in way.attempts.all()] == ["lease", "ok"]


def test_a_late_answer_counts_while_nobody_took_over(dana, tell, joined):
    way = only(tell(dana, "confirm_email"), "email")
    (slow,) = claimed(way)
    lease_runs_out(way)
    flows.tidy()
    assert not delivering.settle([Outcome(slow, "queued", "late", 1)]), "only what was taken is worth knowing"
    assert delivering.settle([Outcome(slow, "accepted", "ok", None, "late")]) == {way.pk: "accepted"}
    assert flows.deliver(way.pk) is None and not joined.mail()


def test_a_late_answer_says_nothing_of_a_later_try(dana, tell, joined):
    way = only(tell(dana, "confirm_email"), "email")
    (slow,) = claimed(way)
    for _ in range(2):
        lease_runs_out(way)
        flows.tidy()
        claimed(way)
    lease_runs_out(way)
    flows.tidy()
    assert not delivering.settle([Outcome(slow, "accepted", "ok", None, "late")])


def test_no_worker_can_invent_a_move(dana, tell, joined):
    way = only(tell(dana, "confirm_email"), "email")
    with pytest.raises(ValueError, match="sending → delivered"):
        delivering.settle([Outcome(claimed(way)[0], "delivered", "ok")])


# --- a clock went wrong --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_worker_whose_clock_is_wrong_sends_neither_early_nor_late_nor_twice(dana, tell, joined, monkeypatch, minutes):
    wrong = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)
    monkeypatch.setattr(timezone, "now", lambda: wrong)
    event = tell(dana, "phone_code")
    assert flows.deliver_due() == {"accepted": 1}, "told and due by one clock, the database's"
    assert abs(event.expires_at - event.at - dt.timedelta(minutes=5)) < dt.timedelta(seconds=1)
    way = only(tell(dana, "ticket_opened"), "sms")
    assert claimed(way)
    assert not flows.tidy() and flows.deliver(way.pk) is None, "a lease that runs is respected"
    doubted = Delivery.objects.filter(pk=only(tell(dana, "suspended"), "sms").pk)
    doubted.update(status="unknown", carrier="kavenegar")
    assert doubted.in_doubt().claim_to_ask(1, Delivery.LEASE["sms"])
    assert flows.deliver(doubted.get().pk) is None, "also one to look it up"
    later = only(tell(dana, "ticket_closed"), "sms")
    Delivery.objects.filter(pk=later.pk).update(not_before=Now() + dt.timedelta(minutes=5))
    assert flows.deliver(later.pk) is None, "not before its time"
