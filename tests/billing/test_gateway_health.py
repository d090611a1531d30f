"""A gateway that fails is taken out of the choice by itself, and comes back."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from billing.flows import CannotPay, start_payment
from billing.forms import new_form_token
from billing.models import GatewayAccount, Payment
from tests.billing.base import SLUGS, bring, fresh, start

pytestmark = pytest.mark.django_db


def offered(due: int = 1_000_000) -> list[str]:
    return [way.gateway.slug for way in GatewayAccount.objects.ways(due)]


def press(invoice, gateway="sep"):
    return start_payment(invoice=invoice, gateway=gateway, form_token=new_form_token())


def fail(bank, invoice, times=3, do="500") -> None:
    bank.next("sep", "start", *[do] * times)
    for _ in range(times):
        assert press(invoice).status == Payment.Status.FAILED


def wait_over() -> None:
    GatewayAccount.objects.filter(slug="sep").update(down_until=Now() - timedelta(seconds=1))


def test_all_are_offered_in_the_order_of_the_settings(bank):
    assert offered() == list(SLUGS)


@pytest.mark.parametrize("do", ["500", "html", "refuse", {"code": 8}])
def test_three_failures_in_a_row_take_a_gateway_out(bank, alice_client, invoice, do):
    fail(bank, invoice, 2, do)
    assert "sep" in offered()
    fail(bank, invoice, 1, do)
    assert "sep" not in offered() and len(offered()) == 6
    assert 'value="sep"' not in alice_client.get(invoice.get_absolute_url()).content.decode()
    with pytest.raises(CannotPay):
        press(invoice)


def test_a_success_between_starts_the_count_anew(bank, invoice):
    fail(bank, invoice, 2)
    start(invoice, "sep")
    fail(bank, invoice, 2)
    assert "sep" in offered()


def test_it_comes_back_by_itself_and_goes_for_longer_when_it_fails_again(bank, invoice):
    fail(bank, invoice)
    wait_over()
    assert "sep" in offered()
    fail(bank, invoice, 1)
    account = GatewayAccount.objects.get()
    assert "sep" not in offered() and account.failures == 4
    assert account.down_until - account.failed_at == timedelta(minutes=2)
    wait_over()
    start(invoice, "sep")
    account.refresh_from_db()
    assert (account.failures, account.down_until, account.last_code) == (0, None, "")


def test_it_never_stays_out_for_longer_than_a_quarter_of_an_hour(bank):
    for _ in range(40):
        GatewayAccount.objects.failed("sep", "timeout")
    account = GatewayAccount.objects.get()
    assert account.down_until - account.failed_at == timedelta(minutes=16)


def test_a_refusal_of_one_payment_is_no_failure_of_the_gateway(bank, invoice):
    fail(bank, invoice, 5, {"code": 5})
    assert "sep" in offered() and not GatewayAccount.objects.exists()


def test_silence_when_asked_for_the_money_counts_too(bank, invoice):
    payments = [start(invoice, "sep") for _ in range(3)]
    bank.next("sep", "verify", "500", "500", "500")
    for payment in payments:
        Payment.objects.exclude(pk=payment.pk).filter(status="verifying").update(status="failed")
        bring(bank.pay("sep", payment.token))
        assert fresh(payment).status == Payment.Status.VERIFYING
    assert "sep" not in offered()


def test_staff_switch_a_gateway_off_and_limit_it(bank):
    GatewayAccount.objects.create(slug="sep", is_on=False)
    GatewayAccount.objects.create(slug="zibal", min_rial=2_000_000)
    assert offered() == ["mellat", "sadad", "parsian", "pasargad", "zarinpal"]
    assert "zibal" in offered(2_000_000)


def test_when_none_is_left_the_page_says_so(bank, alice_client, invoice):
    for slug in SLUGS:
        GatewayAccount.objects.create(slug=slug, is_on=False)
    page = alice_client.get(invoice.get_absolute_url()).content.decode()
    assert "No gateway can take this payment right now" in page and 'name="gateway"' not in page


@pytest.mark.parametrize("wrong", [{"min_rial": 0}, {"min_rial": 5, "max_rial": 4}, {"max_rial": -1}])
def test_the_database_refuses_limits_that_cannot_be(db, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        GatewayAccount.objects.create(slug="sep", **wrong)
