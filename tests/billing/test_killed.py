"""Processes that are killed on the way of money: the next one finishes what they began, once."""

import pytest

from billing.flows import look_again, reconcile
from billing.models import Invoice, LedgerEntry, Payment
from tests.billing.base import (
    EVERY,
    REVERSIBLE,
    assert_paid_once,
    books,
    bring,
    due_now,
    fresh,
    minutes_ago,
    start,
    told,
)
from tests.billing.faults import (
    OURS_NOW,
    Person,
    dying,
    on_its_way,
    order_held,
    reconcile_a_little_later,
    somebody_waits_for_us,
    taken_but_unanswered,
    until,
)

pytestmark = pytest.mark.django_db(transaction=True)
Status = Payment.Status
GIVING_BACK = [("transaction", n) for n in range(1, 6)] + [(place, n) for place in ("call", "answer") for n in (1, 2)]


@pytest.mark.parametrize(("place", "nth"), GIVING_BACK)
def test_who_died_while_giving_back_is_replaced_by_the_sweep(bank, invoice, place, nth):
    """Money is taken and applied to nothing: it goes back and is spoken of once, wherever the first process ended."""
    payment = due_now(taken_but_unanswered(bank, invoice, "sep"))
    invoice.void()
    is_done = False
    with dying(place, nth):
        look_again(payment=payment)
        is_done = True
    assert not is_done, "this death was never reached"
    for _ in range(3):
        minutes_ago(payment, 3)
        reconcile()
    assert (fresh(payment).status, books(bank, "sep")) == (Status.REVERSED, {payment.token: "reversed"})
    assert told() == ["payment_given_back"] and not LedgerEntry.objects.exists()


def assert_settled_by_the_sweep(bank, payment: Payment, callback) -> None:
    assert reconcile() == {}, "until its lease is over, the dead process might be asking the bank"
    assert not LedgerEntry.objects.exists()
    minutes_ago(payment, 3)
    reconcile_a_little_later(payment)
    assert_paid_once(payment)
    bring(callback)
    assert reconcile() == {}
    assert_paid_once(payment)
    assert books(bank, payment.gateway)[payment.token] in OURS_NOW


@pytest.mark.parametrize("gateway", ["sep", "zarinpal", "mellat"])
def test_killed_before_the_bank_has_done_anything(web, bank, invoice, gateway, impatient):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.next(gateway, "verify", "timeout")
    with on_its_way(lambda: Person(web).bring(callback)):
        until(lambda: fresh(payment).lease_until)
        web.kill()
    assert (fresh(payment).status, books(bank, gateway)[payment.token]) == (Status.VERIFYING, "paid")
    assert_settled_by_the_sweep(bank, payment, callback)


@EVERY
def test_killed_while_the_bank_has_taken_the_money_and_not_answered(web, bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.next(gateway, "verify", "timeout_after_commit")
    with on_its_way(lambda: Person(web).bring(callback)):
        until(lambda: books(bank, gateway)[payment.token] in OURS_NOW)
        web.kill()
    assert fresh(payment).status == Status.VERIFYING
    assert_settled_by_the_sweep(bank, payment, callback)


@pytest.mark.parametrize("gateway", ["sep", "zarinpal", "mellat"])
def test_killed_with_everything_written_down_and_nothing_committed(web, bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    with on_its_way(lambda: Person(web).bring(callback)), order_held(invoice.order):
        until(somebody_waits_for_us)
        web.kill()
    assert (fresh(payment).status, told()) == (Status.VERIFYING, [])
    assert books(bank, gateway)[payment.token] == "verified"
    assert_settled_by_the_sweep(bank, payment, callback)


def test_killed_before_the_bank_was_told_to_transfer_the_money(web, bank, invoice, impatient):
    payment = start(invoice, "mellat")
    callback = bank.pay("mellat", payment.token)
    bank.next("mellat", "settle", "timeout")
    with on_its_way(lambda: Person(web).bring(callback)):
        until(lambda: fresh(payment).status == Status.UNSETTLED and payment.lease_until)
        web.kill()
    assert fresh(invoice).status == Invoice.Status.PAID, "the service runs already"
    assert reconcile() == {} and books(bank, "mellat") == {payment.token: "verified"}
    minutes_ago(payment, 3)
    reconcile_a_little_later(payment)
    assert books(bank, "mellat") == {payment.token: "settled"}
    assert_paid_once(payment)


@pytest.mark.parametrize("gateway", REVERSIBLE)
def test_killed_while_the_bank_has_given_the_money_back_and_not_answered(web, bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.next(gateway, "verify", "truncated")
    bank.next(gateway, "reverse", "timeout_after_commit")
    bring(callback)
    invoice.void()
    with on_its_way(lambda: Person(web).bring(callback)):
        until(lambda: books(bank, gateway)[payment.token] == "reversed")
        web.kill()
    assert (fresh(payment).status, told(), reconcile()) == (Status.REVERSING, [], {})
    minutes_ago(payment, 3)
    reconcile_a_little_later(payment)
    assert (fresh(payment).status, told()) == (Status.REVERSED, ["payment_given_back"])
    assert not LedgerEntry.objects.exists()
