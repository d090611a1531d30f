"""Money that goes back: by the gateway's own call, or by two people at the bank."""

import pytest
from django.db import IntegrityError, transaction

from billing.flows import (
    CannotGiveBack,
    agree_to_refund,
    ask_for_refund,
    can_reverse,
    cancel_paid_order,
    dismiss,
    finish_refund,
    give_back,
    keep_as_credit,
    reconcile,
    refundable,
    refuse_refund,
)
from billing.models import ForbiddenMove, Invoice, LedgerEntry, Payment, Refund
from tests.base import make_customer
from tests.billing.base import OURS, REVERSIBLE, SLUGS, books, bring, due_now, fresh, minutes_ago, start, told

pytestmark = pytest.mark.django_db
STATUS = Payment.Status


@pytest.fixture
def dave(db):
    """Carol's colleague."""
    return make_customer("dave@example.com", "+989121110004", language="en", is_staff=True, is_superuser=True)


def paid(bank, invoice, gateway="sep") -> Payment:
    payment = start(invoice, gateway)
    bring(bank.pay(gateway, payment.token))
    assert fresh(payment).status == STATUS.PAID
    return payment


def unapplied(bank, invoice, gateway) -> Payment:
    """Money that the bank took for an invoice that was void by then, and that it would not give back by itself."""
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.next(gateway, "verify", "500")
    bring(callback)
    invoice.void()
    due_now(payment)
    bank.next(gateway, "reverse", *["500"] * 3)
    reconcile()
    return fresh(payment)


def credit_of(customer) -> int:
    return LedgerEntry.objects.visible_to(customer).credit().total()


# --- by the gateway ---------------------------------------------------------------------------------------------------

CALL = [slug for slug in REVERSIBLE if slug != "mellat"]  # Mellat gives nothing back once it was told to transfer


@pytest.mark.parametrize("gateway", CALL)
def test_a_paid_order_is_taken_back_and_its_payment_reversed(bank, alice, invoice, gateway):
    payment = paid(bank, invoice, gateway)
    assert give_back(payment=payment) is False, "the money lies on an invoice"
    cancel_paid_order(order=invoice.order)
    assert refundable(fresh(payment)) == payment.amount
    assert give_back(payment=payment) is True
    assert fresh(payment).status == STATUS.REVERSED and books(bank, gateway) == {payment.token: "reversed"}
    assert LedgerEntry.objects.total() == 0 == credit_of(alice)
    assert "payment_given_back" in told()
    assert give_back(payment=payment) is False and LedgerEntry.objects.total() == 0, "twice is once"


@pytest.mark.parametrize("gateway", CALL)
@pytest.mark.parametrize("do", ["500", "html", "timeout_after_commit"])
def test_an_answer_that_is_lost_is_asked_for_again(bank, invoice, gateway, do, monkeypatch):
    monkeypatch.setattr("billing.gateways.wire.TIMEOUT", (1, 0.7))
    payment = paid(bank, invoice, gateway)
    cancel_paid_order(order=invoice.order)
    bank.next(gateway, "reverse", do)
    give_back(payment=payment)
    assert fresh(payment).status == STATUS.REVERSING and LedgerEntry.objects.total() == 0
    due_now(payment)
    assert reconcile() == {"reversed": 1}
    assert books(bank, gateway) == {payment.token: "reversed"} and LedgerEntry.objects.total() == 0


@pytest.mark.parametrize("gateway", CALL)
def test_too_late_at_the_bank_leaves_it_to_people(bank, carol, dave, alice, invoice, gateway):
    payment = paid(bank, invoice, gateway)
    cancel_paid_order(order=invoice.order)
    bank.clock(3 * 3600)
    give_back(payment=payment)
    payment = fresh(payment)
    assert payment.status == STATUS.UNAPPLIED and list(Payment.objects.inbox()) == [payment]
    assert LedgerEntry.objects.total() == 0 and books(bank, gateway) == {payment.token: OURS[gateway]}
    keep_as_credit(payment=payment)
    assert credit_of(alice) == invoice.total and fresh(payment).status == STATUS.PAID
    refund = ask_for_refund(payment=payment, amount=invoice.total, why=Refund.Why.TAKEN_BACK, by=carol)
    agree_to_refund(refund=refund, by=dave)
    assert finish_refund(refund=refund, bank_reference="140509-77") and LedgerEntry.objects.total() == 0


def test_our_own_clock_tells_when_it_is_too_late_to_ask(bank, invoice):
    payment = paid(bank, invoice)
    assert can_reverse(fresh(payment))
    minutes_ago(payment, 0)
    Payment.objects.filter(pk=payment.pk).update(bank_time="2026-01-01T00:00:00Z")
    assert not can_reverse(fresh(payment))


@pytest.mark.parametrize("gateway", [slug for slug in SLUGS if slug not in CALL])
def test_where_there_is_no_call_none_is_made(bank, invoice, gateway):
    payment = paid(bank, invoice, gateway)
    cancel_paid_order(order=invoice.order)
    assert not can_reverse(fresh(payment)) and give_back(payment=payment) is False
    assert books(bank, gateway) == {payment.token: OURS[gateway]}


def test_mellat_gives_back_what_was_not_transferred_yet(bank, invoice):
    payment = start(invoice, "mellat")
    callback = bank.pay("mellat", payment.token)
    bank.next("mellat", "verify", "500")
    bring(callback)
    invoice.void()
    due_now(payment)
    assert reconcile() == {"reversed": 1}
    assert books(bank, "mellat") == {payment.token: "reversed"}


# --- Mellat's second call ---------------------------------------------------------------------------------------------


def test_mellat_is_told_to_transfer_until_it_says_so(bank, alice_client, invoice, monkeypatch):
    monkeypatch.setattr("billing.gateways.wire.TIMEOUT", (1, 0.7))
    payment = start(invoice, "mellat")
    callback = bank.pay("mellat", payment.token)
    bank.next("mellat", "settle", "500", "fault", "timeout", {"code": 61}, "timeout_after_commit")
    back = bring(callback)
    assert fresh(payment).status == STATUS.UNSETTLED and fresh(invoice).status == Invoice.Status.PAID
    assert "Paid. Thank you" in alice_client.get(back.headers["Location"]).content.decode()
    for _ in range(4):
        due_now(payment)
        assert reconcile() == {"unsettled": 1}
    due_now(payment)
    assert reconcile() == {"paid": 1}
    assert fresh(payment).result_code == "45" and books(bank, "mellat") == {payment.token: "settled"}
    assert LedgerEntry.objects.count() == 1 and told() == ["payment_received", "service_activated"]


def test_mellat_money_not_transferred_for_long_is_reported(bank, invoice):
    payment = start(invoice, "mellat")
    bank.next("mellat", "settle", *["500"] * 9)
    bring(bank.pay("mellat", payment.token))
    minutes_ago(payment, 25)
    assert list(Payment.objects.stuck()) == [payment]


# --- the inbox --------------------------------------------------------------------------------------------------------


def test_money_taken_and_not_applied_is_in_no_books_until_somebody_decides(bank, alice, invoice):
    payment = unapplied(bank, invoice, "zibal")
    assert payment.status == STATUS.UNAPPLIED and LedgerEntry.objects.total() == 0
    assert keep_as_credit(payment=payment) is True
    assert fresh(payment).status == STATUS.PAID and credit_of(alice) == invoice.total
    assert told() == ["credit_added", "payment_not_applied"]
    assert keep_as_credit(payment=payment) is False and credit_of(alice) == invoice.total


def test_mellats_money_kept_as_credit_is_transferred_first(bank, alice, invoice):
    payment = unapplied(bank, invoice, "mellat")
    assert payment.status == STATUS.REVERSING
    bank.next("mellat", "reverse", {"code": 55})
    due_now(payment)
    for _ in range(3):
        due_now(payment)
        reconcile()
    assert fresh(payment).status == STATUS.UNAPPLIED and books(bank, "mellat") == {payment.token: "verified"}
    assert keep_as_credit(payment=payment) and fresh(payment).status == STATUS.UNSETTLED
    due_now(payment)
    assert reconcile() == {"paid": 1} and books(bank, "mellat") == {payment.token: "settled"}
    assert credit_of(alice) == invoice.total


def test_a_suspect_attempt_is_closed_by_a_person(bank, invoice):
    payment = start(invoice, "sep")
    bring(bank.pay("sep", payment.token), ResNum="10000000")
    assert fresh(payment).status == STATUS.SUSPECT
    assert dismiss(payment=payment) is True and dismiss(payment=payment) is False
    assert fresh(payment).status == STATUS.NOT_WANTED and not Payment.objects.inbox().exists()


@pytest.mark.parametrize("do", [keep_as_credit, dismiss])
def test_what_is_paid_is_neither_credit_nor_nothing(bank, invoice, do):
    payment = paid(bank, invoice)
    if do is keep_as_credit:
        assert do(payment=payment) is False
    else:
        with pytest.raises(ForbiddenMove):
            do(payment=payment)
    assert LedgerEntry.objects.count() == 1


# --- by two people ----------------------------------------------------------------------------------------------------


def test_a_refund_takes_two_people_and_the_banks_number(bank, alice, carol, dave, invoice):
    payment = paid(bank, invoice, "zibal")
    cancel_paid_order(order=invoice.order)
    refund = ask_for_refund(payment=payment, amount=invoice.total, why=Refund.Why.TAKEN_BACK, by=carol)
    assert credit_of(alice) == 0, "it cannot be spent meanwhile"
    for decide in (agree_to_refund, refuse_refund):
        with pytest.raises(CannotGiveBack):
            decide(refund=refund, by=carol)
    with pytest.raises(ForbiddenMove):
        finish_refund(refund=refund, bank_reference="140509-77")
    assert agree_to_refund(refund=refund, by=dave) is True and agree_to_refund(refund=refund, by=dave) is False
    assert finish_refund(refund=refund, bank_reference="140509-77") is True
    assert finish_refund(refund=refund, bank_reference="140509-77") is False
    assert told().count("payment_given_back") == 1 and LedgerEntry.objects.total() == 0
    assert [event.now for event in refund.events.all()] == ["asked", "agreed", "done"]


def test_the_database_refuses_one_person_alone_and_an_end_without_number(bank, carol, dave, invoice):
    payment = paid(bank, invoice, "zibal")
    cancel_paid_order(order=invoice.order)
    refund = ask_for_refund(payment=payment, amount=5, why=Refund.Why.ASKED_FOR, by=carol)
    for wrong in (
        {"decided_by": carol},
        {"status": "agreed"},
        {"status": "done", "decided_by": dave},
        {"amount": 0},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Refund.objects.update(**wrong)
    assert fresh(refund).status == Refund.Status.ASKED


def test_a_refused_refund_is_credit_again(bank, alice, carol, dave, invoice):
    payment = paid(bank, invoice, "zibal")
    cancel_paid_order(order=invoice.order)
    refund = ask_for_refund(payment=payment, amount=300_000, why=Refund.Why.ASKED_FOR, by=carol)
    assert credit_of(alice) == invoice.total - 300_000
    assert refuse_refund(refund=refund, by=dave) is True and refuse_refund(refund=refund, by=dave) is False
    assert credit_of(alice) == invoice.total


@pytest.mark.parametrize("amount", [0, -1, 1_100_007])
def test_no_more_than_was_paid_and_lies_in_the_credit(bank, carol, invoice, amount):
    payment = paid(bank, invoice, "zibal")
    with pytest.raises(CannotGiveBack):
        ask_for_refund(payment=payment, amount=1, why=Refund.Why.ASKED_FOR, by=carol)
    cancel_paid_order(order=invoice.order)
    with pytest.raises(CannotGiveBack):
        ask_for_refund(payment=payment, amount=amount, why=Refund.Why.ASKED_FOR, by=carol)
    ask_for_refund(payment=payment, amount=invoice.total - 1, why=Refund.Why.ASKED_FOR, by=carol)
    with pytest.raises(CannotGiveBack):
        ask_for_refund(payment=payment, amount=2, why=Refund.Why.ASKED_FOR, by=carol)


def test_what_is_partly_refunded_is_reversed_no_more(bank, carol, invoice):
    payment = paid(bank, invoice)
    cancel_paid_order(order=invoice.order)
    ask_for_refund(payment=payment, amount=1, why=Refund.Why.ASKED_FOR, by=carol)
    assert give_back(payment=payment) is False and fresh(payment).status == STATUS.PAID
