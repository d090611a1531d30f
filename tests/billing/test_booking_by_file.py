"""What the bank never answered about is received by its own file, by two people, and the bank hears what it must."""

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from accounts.models import Customer
from billing import gateways
from billing.flows import CannotBook, book_by_statement, compare, reconcile
from billing.models import Invoice, LedgerEntry, Payment, PaymentEvent, StatementLine
from tests.billing.base import assert_paid_once, books, bring, due_now, fresh, minutes_ago, settlement_file, start, told
from tests.billing.statements import csv, imported, row_of, shown

pytestmark = pytest.mark.django_db


def test_what_the_bank_never_answered_is_booked_by_its_file_and_two_people(unanswered, bank, carol, dave):
    statement = imported(settlement_file(bank, "sep"), day=timezone.localdate(), by=carol)
    line = statement.lines.get()
    assert compare(statement=statement).lines[0].is_bookable
    with pytest.raises(CannotBook, match="colleague"):
        book_by_statement(line=line, by=carol)
    assert fresh(unanswered).status == Payment.Status.UNKNOWN and not LedgerEntry.objects.exists()
    assert book_by_statement(line=line, by=dave)
    assert_paid_once(unanswered)
    event = PaymentEvent.objects.filter(payment=unanswered).last()
    assert (event.was, event.now, event.code) == ("unknown", "paid", "bank-file")
    line = fresh(line)
    assert (line.booked_by, line.finding, unanswered.bank_time) == (dave, "matches", line.bank_time)
    assert fresh(statement).counts == {"matches": 1} and compare(statement=statement).fits
    assert book_by_statement(line=line, by=dave) is False
    assert_paid_once(unanswered)
    assert reconcile() == {}


@pytest.fixture
def unanswered_by_mellat(bank, invoice, monkeypatch) -> Payment:
    """Verified at the bank, which transfers nothing before it is told to; its answer was lost for good."""
    monkeypatch.setattr("billing.gateways.wire.TIMEOUT", (1, 0.5))
    payment = start(invoice, "mellat")
    callback = bank.pay("mellat", payment.token)
    bank.next("mellat", "verify", "timeout_after_commit", "500")
    bring(callback)
    minutes_ago(payment, 25)
    due_now(payment)
    assert reconcile() == {"unknown": 1} and books(bank, "mellat") == {payment.token: "verified"}
    return fresh(payment)


def test_a_bank_that_transfers_by_a_second_call_is_told_so_at_once(unanswered_by_mellat, bank, carol, dave):
    payment = unanswered_by_mellat
    statement = imported(settlement_file(bank, "mellat"), "mellat", by=carol)
    assert book_by_statement(line=statement.lines.get(), by=dave)
    assert_paid_once(payment)
    assert books(bank, "mellat") == {payment.token: "settled"}
    steps = PaymentEvent.objects.filter(payment=payment).values_list("was", "now", "code")
    assert list(steps)[-2:] == [("unknown", "unsettled", "bank-file"), ("unsettled", "paid", "0")]
    assert fresh(statement).counts == {"matches": 1} and reconcile() == {}


def test_a_bank_that_has_transferred_it_already_says_so(unanswered_by_mellat, bank, carol, dave):
    statement = imported(settlement_file(bank, "mellat"), "mellat", by=carol)
    assert gateways.gateway("mellat").settle(unanswered_by_mellat.attempt).code == "0"
    assert book_by_statement(line=statement.lines.get(), by=dave)
    assert_paid_once(unanswered_by_mellat)
    assert unanswered_by_mellat.result_code == "45"


def test_a_bank_that_does_not_answer_to_it_is_told_again_by_the_sweep(unanswered_by_mellat, bank, carol, dave):
    payment = unanswered_by_mellat
    statement = imported(settlement_file(bank, "mellat"), "mellat", by=carol)
    bank.next("mellat", "settle", "500")
    assert book_by_statement(line=statement.lines.get(), by=dave)
    assert fresh(payment).status == Payment.Status.UNSETTLED and fresh(payment.invoice).status == Invoice.Status.PAID
    due_now(payment)
    assert reconcile() == {"paid": 1} and books(bank, "mellat") == {payment.token: "settled"}
    assert_paid_once(payment)


def test_money_that_its_invoice_needs_no_more_is_given_back_at_once(unanswered, bank, carol, dave, invoice):
    fresh(invoice).void()
    statement = imported(settlement_file(bank, "sep"), day=timezone.localdate(), by=carol)
    assert book_by_statement(line=statement.lines.get(), by=dave)
    assert fresh(unanswered).status == Payment.Status.REVERSED
    assert books(bank, "sep") == {unanswered.token: "reversed"} and not LedgerEntry.objects.exists()
    assert told() == ["payment_given_back"]
    imported(settlement_file(bank, "sep"), day=timezone.localdate(), by=carol)
    assert compare(statement=statement).fits, "the next file has what went back"


def test_money_that_its_invoice_needs_no_more_goes_to_the_inbox(unanswered, bank, carol, dave, invoice):
    fresh(invoice).void()
    content = settlement_file(bank, "sep")
    bank.clock(10 * 3600)
    Payment.objects.filter(pk=unanswered.pk).update(created_at=timezone.now() - timedelta(days=1))
    yesterday = timezone.now() - timedelta(days=1)
    text = content.decode().splitlines()[1].split(",")
    text[3] = shown(yesterday)
    statement = imported(csv(",".join(text)), day=timezone.localdate(yesterday), by=carol)
    assert book_by_statement(line=statement.lines.get(), by=dave)
    assert fresh(unanswered).status == Payment.Status.UNAPPLIED and not LedgerEntry.objects.exists()
    assert compare(statement=statement).lines[0].finding == "not_booked"


def refused(line: StatementLine, by: Customer, words: str) -> None:
    with translation.override("en"), pytest.raises(CannotBook, match=words):
        book_by_statement(line=line, by=by)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"amount": 5}, "amount"),
        ({"order_number": "77"}, "different payments"),
        ({"receipt": "another"}, "No payment of ours has this receipt"),
        ({"kind": "refund"}, "Only a sale"),
    ],
)
def test_nothing_else_is_booked(unanswered, dave, changed, words):
    statement = imported(csv(row_of(unanswered, **changed)))
    assert not compare(statement=statement).lines[0].is_bookable
    refused(statement.lines.get(), dave, words)
    assert fresh(unanswered).status == Payment.Status.UNKNOWN and not LedgerEntry.objects.exists()


def test_what_went_back_by_any_file_is_not_booked(unanswered, dave):
    statement = imported(csv(row_of(unanswered)))
    imported(csv(row_of(unanswered, kind="reversal")))
    assert not compare(statement=statement).lines[0].is_bookable
    refused(statement.lines.get(), dave, "went back")


@pytest.mark.parametrize("status", sorted(set(Payment.Status) - Payment.RECEIVED - {Payment.Status.UNKNOWN}))
def test_only_what_waits_for_an_answer_for_good_is_booked(unanswered, dave, status):
    Payment.objects.filter(pk=unanswered.pk).update(status=status, taken=unanswered.amount, bank_time=timezone.now())
    statement = imported(csv(row_of(unanswered)))
    assert not compare(statement=statement).lines[0].is_bookable
    refused(statement.lines.get(), dave, "never answered about")
    assert not LedgerEntry.objects.exists()


def test_a_gateway_taken_out_of_the_settings_books_nothing(unanswered, dave, settings):
    statement = imported(csv(row_of(unanswered)))
    settings.GATEWAY = {}
    refused(statement.lines.get(), dave, "not configured")
