"""Asking the bank for the money: silence, odd answers, and two attempts for one invoice."""

import pytest

from billing.flows import reconcile
from billing.models import LedgerEntry, Payment
from tests.billing.base import (
    assert_paid_once,
    books,
    bring,
    due_now,
    fresh,
    minutes_ago,
    start,
    told,
)

pytestmark = pytest.mark.django_db


# --- the bank does not answer well ------------------------------------------------------------------------------------


def test_after_the_deadline_it_is_unknown_and_asked_about_for_a_day(bank, alice_client, invoice):
    payment = start(invoice, "zarinpal")
    callback = bank.pay("zarinpal", payment.token)
    bank.next("zarinpal", "verify", "500", "500", "500")
    bring(callback)
    minutes_ago(payment, 31)
    due_now(payment)
    assert reconcile() == {"unknown": 1}
    assert "Your payment is being checked" in alice_client.get(f"/pay/{payment.public_id}/result/").content.decode()
    minutes_ago(payment, 24 * 60)
    due_now(payment)
    assert reconcile() == {"unknown": 1}
    assert fresh(payment).next_try_at is None and reconcile() == {}
    due_now(payment)
    assert reconcile() == {"paid": 1}
    assert_paid_once(payment)


def test_sep_too_late_after_a_lost_answer_is_not_taken_for_a_no(bank, invoice, monkeypatch):
    """The bank has the money verified; that it refuses to say so again after half an hour must not end the attempt."""
    monkeypatch.setattr("billing.gateways.wire.TIMEOUT", (1, 0.5))
    payment = start(invoice, "sep")
    callback = bank.pay("sep", payment.token)
    bank.next("sep", "verify", "timeout_after_commit")
    bring(callback)
    bank.clock(31 * 60)
    minutes_ago(payment, 31)
    due_now(payment)
    assert reconcile() == {"unknown": 1}
    assert books(bank, "sep") == {payment.token: "verified"}


def test_sep_another_amount_is_never_credited_but_given_back_whole(bank, alice_client, invoice):
    payment = start(invoice, "sep")
    callback = bank.pay("sep", payment.token)
    bank.next("sep", "verify", {"amount": invoice.total - 1})
    back = bring(callback)
    payment = fresh(payment)
    assert (payment.status, payment.taken) == (Payment.Status.REVERSED, invoice.total - 1)
    assert payment.receipt == callback.fields["RefNum"] and books(bank, "sep") == {payment.token: "reversed"}
    assert not LedgerEntry.objects.exists() and told() == ["payment_given_back"] and fresh(invoice).is_payable
    assert "Your money was given back" in alice_client.get(back.headers["Location"]).content.decode()


@pytest.mark.parametrize(
    "detail",
    [None, [], {"OrginalAmount": True}, {"OrginalAmount": "1100006.0"}, {"RefNum": "x"}, {"TerminalNumber": 2016}],
)
def test_sep_a_confirmation_without_its_detail_is_not_believed(bank, invoice, detail):
    payment = start(invoice, "sep")
    callback = bank.pay("sep", payment.token)
    good = {
        "OrginalAmount": invoice.total,
        "AffectiveAmount": invoice.total,
        "RefNum": callback.fields["RefNum"],
        "TerminalNumber": 2015,
    }
    odd = {**good, **detail} if isinstance(detail, dict) else detail
    bank.next("sep", "verify", {"json": {"ResultCode": 0, "Success": True, "TransactionDetail": odd}})
    bring(callback)
    assert fresh(payment).status in (Payment.Status.VERIFYING, Payment.Status.SUSPECT)
    assert not LedgerEntry.objects.exists()


# --- two ways to pay the same invoice ---------------------------------------------------------------------------------


def test_while_one_payment_is_unknown_the_second_is_held_back(bank, invoice):
    first, second = start(invoice, "zarinpal"), start(invoice, "sep")
    bank.next("zarinpal", "verify", "500")
    bring(bank.pay("zarinpal", first.token))
    bring(bank.pay("sep", second.token))
    assert (fresh(second).status, fresh(second).tries) == (Payment.Status.VERIFYING, 0)
    assert books(bank, "sep") == {second.token: "paid"}
    due_now(first)
    assert reconcile() == {"paid": 1}
    due_now(second)
    assert reconcile() == {"not_wanted": 1}
    assert_paid_once(first)


def test_a_held_payment_goes_on_when_the_first_one_failed(bank, invoice):
    first, second = start(invoice, "zarinpal"), start(invoice, "sep")
    bank.next("zarinpal", "verify", "500")
    bring(bank.pay("zarinpal", first.token, "cancel"), Status="OK")
    bring(bank.pay("sep", second.token))
    due_now(first)
    assert reconcile() == {"failed": 1}
    due_now(second)
    assert reconcile() == {"paid": 1}
    assert_paid_once(second)


def test_where_the_gateway_cannot_give_it_back_it_waits_for_a_person(bank, alice_client, invoice):
    payment = start(invoice, "zibal")
    callback = bank.pay("zibal", payment.token)
    bank.next("zibal", "verify", "500")
    bring(callback)
    invoice.void()
    due_now(payment)
    assert reconcile() == {"unapplied": 1}
    assert fresh(payment).taken == invoice.total and list(Payment.objects.inbox()) == [payment]
    assert not LedgerEntry.objects.exists() and told() == ["payment_not_applied"]
    page = alice_client.get(f"/pay/{payment.public_id}/result/").content.decode()
    assert "needed it no more" in page and "See your service" not in page
