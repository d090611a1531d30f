"""Callbacks that somebody made up, changed or brought to the wrong attempt: the bank alone is believed."""

import pytest

from billing.flows import place_order, reconcile
from billing.models import LedgerEntry, Payment
from tests.billing.base import assert_nothing_taken, assert_paid_once, books, bring, due_now, fresh, start

pytestmark = pytest.mark.django_db


def test_the_receipt_of_a_small_order_pays_no_large_one(bank, invoice, alice, backup, plan):
    """The hole of the usual library: pay little, and bring that receipt to the expensive order."""
    _same_receipt_twice(bank, invoice, alice, plan, option=backup)


def test_the_receipt_of_an_equal_order_pays_no_second_one(bank, invoice, alice, plan):
    """The amounts agree, so only the unique receipt stands in the way."""
    _same_receipt_twice(bank, invoice, alice, plan, option=None)


def _same_receipt_twice(bank, invoice, alice, plan, option) -> None:
    other = place_order(customer=alice, plan=plan, option=option, form_token="o" * 20).invoices.get()
    first, second = start(invoice, "sep"), start(other, "sep")
    paid = bank.pay("sep", first.token)
    bring(paid)
    unpaid = bank.pay("sep", second.token, "cancel")
    bring(unpaid, State="OK", Status="2", RefNum=paid.fields["RefNum"])
    assert fresh(first).status == Payment.Status.PAID
    assert fresh(second).status == Payment.Status.SUSPECT and fresh(second).receipt is None
    assert fresh(other).is_payable and LedgerEntry.objects.count() == 1


def test_the_same_holds_when_the_receipt_comes_to_the_other_order_first(bank, invoice, alice, plan):
    other = place_order(customer=alice, plan=plan, option=None, form_token="o" * 20).invoices.get()
    first, second = start(invoice, "sep"), start(other, "sep")
    paid = bank.pay("sep", first.token)
    unpaid = bank.pay("sep", second.token, "cancel")
    bring(unpaid, State="OK", Status="2", RefNum=paid.fields["RefNum"])
    bring(paid)
    assert sorted(Payment.objects.values_list("status", flat=True)) == ["paid", "suspect"]
    assert LedgerEntry.objects.count() == 1


@pytest.mark.parametrize(
    "changed", [{"ResNum": "10000000"}, {"Token": "f" * 32}, {"TerminalId": "2016"}, {"ResNum": ""}]
)
def test_sep_a_callback_of_another_attempt_is_not_taken(bank, invoice, changed):
    payment = start(invoice, "sep")
    bring(bank.pay("sep", payment.token), **changed)
    assert fresh(payment).status == Payment.Status.SUSPECT
    assert books(bank, "sep") == {payment.token: "paid"}, "the bank was not asked"
    assert_nothing_taken(payment)


def test_zarinpal_a_callback_of_another_attempt_is_not_taken(bank, invoice):
    first, second = start(invoice, "zarinpal"), start(invoice, "zarinpal")
    paid = bank.pay("zarinpal", first.token)
    bring(bank.pay("zarinpal", second.token, "cancel"), Authority=paid.fields["Authority"], Status="OK")
    assert fresh(second).status == Payment.Status.SUSPECT and fresh(first).status == Payment.Status.SENT
    bring(paid)
    assert_paid_once(first)


def test_a_forgery_does_not_disturb_a_payment_being_checked(bank, invoice):
    payment = start(invoice, "sep")
    callback = bank.pay("sep", payment.token)
    bank.next("sep", "verify", "500")
    bring(callback)
    assert fresh(payment).status == Payment.Status.VERIFYING
    bring(callback, ResNum="10000000")
    bring(callback, RefNum="another")
    assert fresh(payment).status == Payment.Status.VERIFYING
    due_now(payment)
    assert reconcile() == {"paid": 1}
    assert_paid_once(payment)


def test_the_wrong_method_or_gateway_changes_nothing(bank, invoice, anyone):
    payment = start(invoice, "sep")
    callback = bank.pay("sep", payment.token)
    path = f"/pay/callback/sep/{payment.public_id}/"
    assert anyone.get(path, callback.fields).status_code == 303
    assert anyone.post(f"/pay/callback/zarinpal/{payment.public_id}/", callback.fields).status_code == 404
    assert anyone.post("/pay/callback/sep/no-such-attempt/", callback.fields).status_code == 404
    assert anyone.put(path).status_code == 405
    assert fresh(payment).status == Payment.Status.SENT
