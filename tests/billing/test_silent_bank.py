"""A bank that keeps silent, or answers too late: it is waited for, and nobody pays twice."""

import pytest

from billing import gateways
from billing.flows import CannotPay, reconcile, start_payment
from billing.forms import new_form_token
from billing.gateways import sadad
from billing.models import Payment
from tests.billing.base import BY_TOKEN, EVERY, SLUGS, assert_paid_once, books, bring, fresh, minutes_ago, start
from tests.billing.faults import reconcile_once

pytestmark = pytest.mark.django_db(transaction=True)
Status = Payment.Status


@pytest.mark.parametrize("gateway", BY_TOKEN)
def test_who_pays_just_after_we_asked_is_found_within_five_minutes_too(bank, invoice, gateway):
    payment = start(invoice, gateway)
    minutes_ago(payment, 3)
    assert reconcile() == {"sent": 1}
    bank.pay(gateway, payment.token, "pay-and-close")
    minutes_ago(payment, 5)
    assert reconcile() == {"paid": 1}
    assert_paid_once(payment)


@EVERY
def test_a_silent_bank_is_waited_for_and_nobody_pays_twice(bank, alice_client, invoice, gateway, impatient):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.next(gateway, "verify", "timeout", "500")
    back = bring(callback)
    assert (fresh(payment).status, payment.result_code) == (Status.VERIFYING, "timeout")
    for status in (Status.VERIFYING, Status.UNKNOWN):
        assert fresh(payment).status == status
        assert "Your payment is being checked" in alice_client.get(back.headers["Location"]).content.decode()
        for other in SLUGS:
            with pytest.raises(CannotPay, match="being checked"):
                start_payment(invoice=invoice, gateway=other, form_token=new_form_token())
        if status == Status.VERIFYING:
            minutes_ago(payment, 31)
            assert reconcile() == {"unknown": 1}
    minutes_ago(payment, 11)
    assert reconcile() == {"paid": 1}
    assert_paid_once(payment)
    assert not payment.events.filter(now=Status.FAILED).exists()


def test_an_answer_that_comes_after_its_lease_is_over_counts_no_more(bank, invoice, monkeypatch):
    """A process that slept for minutes with "not paid" in its hands must not undo what another one began since."""
    payment = start(invoice, "sadad")
    minutes_ago(payment, 3)
    ask = sadad.Adapter.verify

    def ask_and_sleep(adapter, attempt):
        outcome = ask(adapter, attempt)
        assert outcome.kind is gateways.Kind.NOT_PAID
        monkeypatch.undo()
        minutes_ago(payment, 3)
        bank.next("sadad", "verify", "truncated")
        bring(bank.pay("sadad", payment.token))
        assert books(bank, "sadad") == {payment.token: "verified"}
        return outcome

    monkeypatch.setattr(sadad.Adapter, "verify", ask_and_sleep)
    reconcile()
    assert fresh(payment).status == Status.VERIFYING
    assert reconcile_once(payment).status == Status.PAID
    assert_paid_once(payment)


def test_money_that_a_person_must_look_at_is_not_waved_away_by_the_same_callback(bank, invoice):
    """The bank has it verified. That the invoice was paid anew since does not make it "not collected"."""
    payment = start(invoice, "sep")
    callback = bank.pay("sep", payment.token)
    gateways.gateway("sep").verify(payment.attempt._replace(receipt=callback.fields["RefNum"]))
    bring(callback)
    assert fresh(payment).status == Status.SUSPECT
    again = start(invoice, "zarinpal")
    bring(bank.pay("zarinpal", again.token))
    assert_paid_once(again)
    bring(callback)
    assert books(bank, "sep") == {payment.token: "verified"}
    assert [p.pk for p in Payment.objects.inbox()] == [payment.pk], fresh(payment).status
