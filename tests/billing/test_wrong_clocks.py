"""Our clock is off, or jumps: the database's decides."""

import re
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from billing import flows, gateways
from billing.flows import reconcile
from billing.models import GatewayAccount, Payment, PaymentEvent
from tests.billing.base import assert_paid_once, books, bring, fresh, minutes_ago, start
from tests.billing.faults import Person, Web, result_of

pytestmark = pytest.mark.django_db(transaction=True)
Status = Payment.Status


@pytest.fixture(params=[10, -10], ids=["ten minutes fast", "ten minutes slow"])
def off(request) -> timedelta:
    return timedelta(minutes=request.param)


@pytest.fixture
def clock_is_off(monkeypatch, off) -> None:
    right = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: right() + off)


def ages(payment: Payment) -> dict[str, float]:
    """Seconds from the database's now to each time of the attempt."""
    names = ("created_at", "next_try_at", "verify_deadline", "lease_until")
    row = Payment.objects.annotate(db_now=Now()).get(pk=payment.pk)
    return {n: (getattr(row, n) - row.db_now).total_seconds() for n in names if getattr(row, n)}


@pytest.mark.parametrize("gateway", ["sep", "pasargad"])
def test_deadlines_are_the_databases_whatever_our_clock_says(bank, invoice, clock_is_off, gateway):
    payment = start(invoice, gateway)
    found = ages(payment)
    assert -30 < found["created_at"] <= 0 and 90 < found["next_try_at"] <= 120
    assert 29 * 60 < found["verify_deadline"] <= 30 * 60
    bank.next(gateway, "verify", "500")
    bring(bank.pay(gateway, payment.token))
    found, within = ages(payment), gateways.gateway(gateway).verify_within.total_seconds()
    assert 10 < found["next_try_at"] <= 40 and within - 30 < found["verify_deadline"] <= within
    assert "lease_until" not in found


def test_a_wrong_clock_takes_nobodys_lease_and_waits_for_none_that_is_over(bank, invoice, clock_is_off):
    payment = start(invoice, "sep")
    bank.next("sep", "verify", "500")
    bring(bank.pay("sep", payment.token))
    assert payment.take_lease(), "another process asks the bank"
    assert 100 < ages(payment)["lease_until"] <= 120
    Payment.objects.filter(pk=payment.pk).update(next_try_at=Now() - timedelta(seconds=1))
    assert reconcile() == {}
    flows.verify(payment=payment)
    assert books(bank, "sep") == {payment.token: "paid"} and fresh(payment).tries == 2
    minutes_ago(payment, 3)
    assert reconcile() == {"paid": 1}
    assert_paid_once(payment)


def test_a_wrong_clock_ends_nothing_early_and_nothing_late(bank, invoice, clock_is_off):
    sent, asked = start(invoice, "sep"), start(invoice, "pasargad")
    minutes_ago(sent, 25)
    bank.next("pasargad", "verify", "500", "500", "500")
    bring(bank.pay("pasargad", asked.token))
    minutes_ago(asked, 5)
    assert reconcile() == {"sent": 1, "verifying": 1}
    minutes_ago(sent, 6)
    minutes_ago(asked, 6)
    assert reconcile() == {"expired": 1, "unknown": 1}


def test_a_wrong_clock_keeps_a_broken_gateway_out_as_long_as_a_right_one(bank, invoice, clock_is_off):
    for _ in range(3):
        GatewayAccount.objects.failed("sep", "timeout")
    offered = lambda: [way.gateway.slug for way in GatewayAccount.objects.ways(invoice.due)]  # noqa: E731
    assert "sep" not in offered()
    GatewayAccount.objects.update(down_until=Now() - timedelta(seconds=1))
    assert "sep" in offered()


def test_a_web_with_a_wrong_clock_and_no_redis_takes_a_payment_like_any_other(
    world, bank, alice, invoice, off, tmp_path
):
    web = Web(world, tmp_path).start(minutes_fast=int(off.total_seconds() // 60), REDIS_URL="redis://127.0.0.1:1/0")
    try:
        alices = Person(web, alice)
        page = alices.get(invoice.get_absolute_url()).text
        fields = {n: re.search(rf'name="{n}" value="([^"]+)"', page)[1] for n in ("csrfmiddlewaretoken", "form_token")}
        alices.post(f"{invoice.get_absolute_url()}pay/", {**fields, "gateway": "zarinpal"})
        payment = Payment.objects.get()
        found = ages(payment)
        assert -30 < found["created_at"] <= 0 and 60 < found["next_try_at"] <= 120
        bank.next("zarinpal", "verify", "500")
        callback = bank.pay("zarinpal", payment.token)
        alices.bring(callback)
        assert 0 < ages(payment)["next_try_at"] <= 40
        alices.bring(callback)
        assert "Paid. Thank you" in alices.see(result_of(payment))
    finally:
        web.kill()
    assert_paid_once(payment)
    wrote = payment.events.get(now=Status.PAID).at - timezone.now()
    assert abs(wrote - off) < timedelta(minutes=2), "its clock was off indeed"


def test_a_clock_that_jumps_back_changes_neither_order_nor_lease(bank, alice_client, invoice, monkeypatch):
    right, jumps = timezone.now, iter(range(1, 10_000))
    back = lambda: right() - timedelta(minutes=next(jumps))  # noqa: E731
    monkeypatch.setattr(timezone, "now", back)
    monkeypatch.setattr(PaymentEvent._meta.get_field("at"), "_get_default", back)
    payment = start(invoice, "mellat")
    bank.next("mellat", "verify", "500")
    callback = bank.pay("mellat", payment.token)
    bring(callback)
    assert fresh(payment).lease_until is None
    minutes_ago(payment, 3)
    assert reconcile() == {"paid": 1}
    monkeypatch.undo()
    steps = list(payment.events.all())
    assert [e.at for e in steps] == sorted((e.at for e in steps), reverse=True), "by the clock the last came first"
    assert [e.was for e in steps[1:]] == [e.now for e in steps[:-1]]
    assert [e.now for e in steps] == ["new", "sent", "verifying", "unsettled", "paid"]
