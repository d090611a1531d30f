"""Moments that hardly ever come together: an account closes, a colleague presses a button, while a bank is silent."""

import pytest
from django.urls import reverse

from billing import flows, privacy
from billing.forms import PayForm
from billing.gateways import Returned
from billing.models import LedgerEntry, Payment, Service
from tests.billing.base import bring, due_now, fresh, start


@pytest.fixture
def being_prepared(bank, invoice) -> Payment:
    """An attempt for which another process is asking the bank for its token at this moment."""
    payment = start(invoice, "sep")
    Payment.objects.filter(pk=payment.pk).update(status="new", token=None)
    return fresh(payment)


def test_money_that_arrives_after_the_account_was_closed_is_written_down(bank, alice, invoice):
    payment = start(invoice, "sep")
    bank.next("sep", "verify", "500")
    bring(bank.pay("sep", payment.token))
    assert fresh(payment).is_unanswered
    privacy.erase(alice)
    due_now(payment)
    flows.reconcile()
    assert fresh(payment).status == Payment.Status.PAID and LedgerEntry.objects.get().amount == invoice.total
    assert Service.objects.get().status == Service.Status.ENDED


def test_asking_the_bank_again_does_not_end_what_is_just_being_prepared(being_prepared):
    assert flows.look_again(payment=being_prepared) == Payment.Status.NEW
    due_now(being_prepared)
    assert flows.look_again(payment=being_prepared) == Payment.Status.EXPIRED


def test_a_callback_before_anybody_left_changes_nothing(being_prepared):
    number = str(being_prepared.order_number)
    flows.receive_callback(
        payment=being_prepared, returned=Returned(ok=True, order_number=number, receipt="made-up", terminal="2015")
    )
    assert fresh(being_prepared).status == Payment.Status.NEW


def test_staff_are_not_stopped_by_a_payment_whose_gateway_is_gone(bank, carol_client, invoice, settings):
    payment = start(invoice, "sep")
    settings.GATEWAYS, settings.GATEWAY = ["zarinpal"], {"zarinpal": settings.GATEWAY["zarinpal"]}
    act = {"action": "look_again", "_selected_action": [payment.pk]}
    page = carol_client.post(reverse("admin:billing_payment_changelist"), act, follow=True)
    assert page.status_code == 200 and fresh(payment).status == Payment.Status.SENT


@pytest.mark.parametrize(
    "path", ["invoices/{}/", "orders/{}/cancel/", "services/{}/", "pay/{}/result/", "pay/callback/sep/{}/"]
)
def test_an_address_that_no_column_can_hold_is_not_found(alice_client, path):
    url = "/" + path.format("a%00b")
    assert alice_client.get(url).status_code == alice_client.post(url).status_code == 404


def test_a_forms_token_fits_its_column():
    assert PayForm({"gateway": "sep", "form_token": "a" * 64}).is_valid()
    assert not PayForm({"gateway": "sep", "form_token": "a" * 64 + "\n"}).is_valid()
