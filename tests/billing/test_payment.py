"""Paying, against banks that keep books of their own."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.flows import reconcile
from billing.models import Payment
from notifications.models import Event
from tests.billing.base import (
    EVERY,
    OURS,
    assert_nothing_taken,
    assert_paid_once,
    books,
    bring,
    due_now,
    fresh,
    minutes_ago,
    start,
)

pytestmark = pytest.mark.django_db


# --- the whole way ----------------------------------------------------------------------------------------------------


@EVERY
def test_a_customer_pays_and_the_service_starts(bank, alice_client, invoice, gateway):
    away = alice_client.post(f"{invoice.get_absolute_url()}pay/", {"gateway": gateway, "form_token": "p" * 20})
    payment = Payment.objects.get()
    assert (away.status_code, away.headers["Location"]) == (303, f"/pay/{payment.public_id}/")
    page = alice_client.get(away.headers["Location"])
    assert bank.url in page.content.decode() and payment.token in page.content.decode()
    back = bring(bank.pay(gateway, payment.token))
    assert (back.status_code, back.headers["Location"]) == (303, f"/pay/{payment.public_id}/result/")
    assert_paid_once(payment)
    payment = fresh(payment)
    assert books(bank, gateway) == {payment.token: OURS[gateway]}
    assert bank.ledger()[0]["receipt"] == payment.receipt and bank.ledger()[0]["amount"] == invoice.total
    result = alice_client.get(back.headers["Location"]).content.decode()
    assert "Paid. Thank you" in result and payment.receipt.replace("+", "&#x2B;") in result.replace("+", "&#x2B;")
    received = Event.objects.get(message="payment_received").context
    assert received["receipt"] == payment.receipt and received["amount"] == invoice.total
    steps = ["new", "sent", "verifying", *(["unsettled"] if gateway == "mellat" else []), "paid"]
    assert [e.now for e in payment.events.all()] == steps


@EVERY
def test_the_banks_refusal_takes_nothing(bank, invoice, gateway):
    payment = start(invoice, gateway)
    bring(bank.pay(gateway, payment.token, "fail"))
    assert fresh(payment).status == Payment.Status.CANCELLED
    assert_nothing_taken(payment)


# --- nobody comes back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("do", ["timeout", "500", "html", {"json": []}, {"code": -10}])
def test_zarinpal_silence_is_not_taken_for_an_end(bank, invoice, do, monkeypatch):
    monkeypatch.setattr("billing.gateways.wire.TIMEOUT", (1, 0.4))
    payment = start(invoice, "zarinpal")
    bank.pay("zarinpal", payment.token, "pay-and-close")
    minutes_ago(payment, 31)
    bank.next("zarinpal", "inquiry", do)
    assert reconcile() == {"sent": 1}
    due_now(payment)
    assert reconcile() == {"paid": 1}
    assert_paid_once(payment)


def test_zarinpal_money_given_back_ends_the_attempt(bank, invoice):
    payment = start(invoice, "zarinpal")
    bank.pay("zarinpal", payment.token, "pay-and-close")
    bank.clock(31 * 60)
    minutes_ago(payment, 3)
    assert reconcile() == {"failed": 1}
    assert_nothing_taken(payment)


def test_an_attempt_that_never_left_expires(bank, invoice):
    payment = start(invoice, "sep")
    Payment.objects.update(status="new", token=None)
    minutes_ago(payment, 3)
    assert reconcile() == {"expired": 1}


def test_sep_a_callback_after_all_is_still_believed_by_the_bank_alone(bank, invoice):
    payment = start(invoice, "sep")
    callback = bank.pay("sep", payment.token)
    minutes_ago(payment, 31)
    assert reconcile() == {"expired": 1}
    bring(callback)
    assert_paid_once(payment)


def test_a_callback_needs_no_cookie_and_reads_no_session(bank, invoice, alice):
    payment = start(invoice, "sep")
    callback = bank.pay("sep", payment.token)
    client = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    client.force_login(alice)
    with CaptureQueriesContext(connection) as queries:
        answer = bring(callback, client)
    assert answer.status_code == 303 and not answer.cookies
    assert not [query for query in queries.captured_queries if "django_session" in query["sql"]]
    assert_paid_once(payment)
