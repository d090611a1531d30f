"""An empty account at the operator: nothing is lost or counted, staff are told once, and it goes on by itself."""

import logging

import pytest

from notifications import flows, health
from notifications.models import Attempt, Carrier, Delivery
from portal.health import Sick
from tests.notifications.base import all_due_now, only


def empty(joined) -> None:
    joined.credit(0)


def test_broadcasts_wait_untouched_and_go_on_when_it_is_paid(dana, tell, joined, caplog):
    for n in range(5):
        tell(dana, "policy_published", about=f"test:{n}")
    empty(joined)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            flows.drain("bulk")
            flows.look_at_credit()
    texts = Delivery.objects.filter(channel="sms")
    assert {(way.status, way.tries, way.last_code) for way in texts} == {("queued", 0, "")}
    assert not Attempt.objects.filter(delivery__channel="sms") and not joined.sms()
    assert caplog.text.count("is empty") == 1, "once is enough"
    assert len(joined.mail()) == 5, "mail has nothing to do with it"

    joined.credit(1_000_000)
    flows.look_at_credit()
    all_due_now()
    assert flows.drain("bulk") == {"accepted": 5} and len(joined.sms()) == 5
    assert "paid again" in caplog.text


def test_while_it_is_empty_nobody_asks_in_vain(dana, tell, joined):
    empty(joined)
    way = only(tell(dana, "policy_published"), "sms")
    flows.drain("bulk")
    joined.credit(1_000_000)
    all_due_now()
    assert not flows.drain("bulk") and not joined.sms(), "only the account itself ends it"
    assert flows.deliver(way.pk) == "queued"
    way.refresh_from_db()
    assert way.tries == 0 and not joined.sms()


def test_a_code_without_another_company_waits_until_its_time_runs_out(dana, tell, joined):
    empty(joined)
    event = tell(dana, "phone_code")
    assert flows.deliver(only(event, "sms").pk) == "queued"
    way = only(event, "sms")
    assert way.tries == 0 and event.context, "it may still go"
    joined.credit(1_000_000)
    flows.look_at_credit()
    all_due_now()
    assert flows.deliver(way.pk) == "accepted"


def test_doctor_says_so(dana, tell, joined):
    empty(joined)
    tell(dana, "policy_published")
    flows.drain("bulk")
    with pytest.raises(Sick, match="kavenegar is empty"):
        health.carriers()
    with pytest.raises(Sick, match="only 0 Rials"):
        health.sms()
    joined.credit(1_000_000_000)
    flows.look_at_credit()
    assert "none is down" in health.carriers() and "1000000000" in health.sms()
    carrier = Carrier.objects.get(pk="kavenegar")
    assert carrier.credit == 1_000_000_000 and carrier.credit_at


def test_an_operator_that_does_not_tell_its_credit_changes_nothing(dana, tell, joined):
    empty(joined)
    tell(dana, "policy_published")
    flows.drain("bulk")
    joined.next("kavenegar", "info", "500")
    flows.look_at_credit()
    assert Carrier.objects.out_of_credit().exists()
