"""Paying through SEP and Zarinpal, against banks that keep books of their own."""

import logging

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.flows import reconcile
from billing.models import Payment
from notifications.models import Event
from tests.billing.base import (
    BOTH,
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


@BOTH
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
    assert books(bank, gateway) == {payment.token: "verified"}
    assert bank.ledger()[0]["receipt"] == payment.receipt and bank.ledger()[0]["amount"] == invoice.total
    result = alice_client.get(back.headers["Location"]).content.decode()
    assert "Paid. Thank you" in result and payment.receipt.replace("+", "&#x2B;") in result.replace("+", "&#x2B;")
    received = Event.objects.get(message="payment_received").context
    assert received["receipt"] == payment.receipt and received["amount"] == invoice.total
    assert [e.now for e in payment.events.all()] == ["new", "sent", "verifying", "paid"]


@BOTH
def test_a_cancelled_payment_takes_nothing_and_may_be_tried_again(bank, alice_client, invoice, gateway):
    payment = start(invoice, gateway)
    back = bring(bank.pay(gateway, payment.token, "cancel"))
    assert fresh(payment).status == Payment.Status.CANCELLED
    assert_nothing_taken(payment)
    page = alice_client.get(back.headers["Location"]).content.decode()
    assert "You came back without paying" in page and "72 hours" in page and f'value="{gateway}"' in page
    again = start(invoice, gateway)
    bring(bank.pay(gateway, again.token))
    assert_paid_once(again)


@BOTH
def test_the_banks_refusal_takes_nothing(bank, invoice, gateway):
    payment = start(invoice, gateway)
    bring(bank.pay(gateway, payment.token, "fail"))
    assert fresh(payment).status == Payment.Status.CANCELLED
    assert_nothing_taken(payment)


# --- nobody comes back ------------------------------------------------------------------------------------------------


def test_zarinpal_a_closed_tab_is_found_by_asking(bank, invoice):
    payment = start(invoice, "zarinpal")
    bank.pay("zarinpal", payment.token, "pay-and-close")
    assert reconcile() == {}, "the browser is given two minutes first"
    minutes_ago(payment, 3)
    assert reconcile() == {"paid": 1}
    assert_paid_once(payment)
    assert reconcile() == {}


def test_sep_a_closed_tab_expires_and_the_bank_gives_the_money_back(bank, alice_client, invoice):
    payment = start(invoice, "sep")
    bank.pay("sep", payment.token, "pay-and-close")
    minutes_ago(payment, 3)
    assert reconcile() == {"sent": 1}
    minutes_ago(payment, 31)
    bank.clock(31 * 60)
    assert reconcile() == {"expired": 1}
    assert books(bank, "sep") == {payment.token: "reversed"}
    assert_nothing_taken(payment)
    page = alice_client.get(f"/pay/{payment.public_id}/result/").content.decode()
    assert "Nobody came back from the bank" in page and "72 hours" in page


def test_zarinpal_an_unfinished_payment_expires(bank, invoice):
    payment = start(invoice, "zarinpal")
    minutes_ago(payment, 3)
    assert reconcile() == {"sent": 1}
    minutes_ago(payment, 31)
    assert reconcile() == {"expired": 1}
    assert_nothing_taken(payment)


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


def test_sep_after_half_an_hour_the_money_is_gone(bank, invoice):
    payment = start(invoice, "sep")
    callback = bank.pay("sep", payment.token)
    bank.clock(31 * 60)
    bring(callback)
    assert fresh(payment).status == Payment.Status.FAILED
    assert fresh(payment).result_code == "-6"
    assert_nothing_taken(payment)


# --- again, and out of order ------------------------------------------------------------------------------------------


@BOTH
def test_the_same_callback_again_changes_nothing(bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    answers = {bring(callback).headers["Location"] for _ in range(3)}
    assert answers == {f"/pay/{payment.public_id}/result/"}
    assert_paid_once(payment)
    assert fresh(payment).tries == 1


@BOTH
def test_a_failure_first_does_not_spoil_the_success_after_it(bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    failed = {"State": "CanceledByUser", "Status": "1", "RefNum": ""} if gateway == "sep" else {"Status": "NOK"}
    bring(callback, **failed)
    assert fresh(payment).status == Payment.Status.CANCELLED
    bring(callback)
    assert_paid_once(payment)


# --- nothing of the card ----------------------------------------------------------------------------------------------


@BOTH
def test_nothing_of_the_card_is_kept_logged_or_shown(
    bank, alice_client, carol_client, invoice, gateway, caplog, monkeypatch
):
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "requests", "django", "billing"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        caplog.set_level(logging.DEBUG, name)
    payment = start(invoice, gateway)
    back = bring(bank.pay(gateway, payment.token))
    assert_paid_once(payment)
    row = bank.ledger()[0]
    traces = [*row["card"]["traces"], row["card"]["number"][:6] + "******" + row["card"]["number"][-4:]]
    pages = [
        alice_client.get(back.headers["Location"]),
        alice_client.get(invoice.get_absolute_url()),
        carol_client.get(f"/admin/billing/payment/{payment.pk}/change/"),
    ]
    assert all(page.status_code == 200 for page in pages)
    haystack = [caplog.text, *(page.content.decode() for page in pages), stored()]
    assert "VerifyTransaction" in caplog.text or "verify.json" in caplog.text, "the client's own log was listened to"
    assert fresh(payment).receipt in stored(), "the control: what is stored is found"
    for trace in traces:
        assert not any(trace in text for text in haystack), trace


def stored() -> str:
    """Every value of every table of this room, and the outbox."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            " AND (table_name LIKE 'billing%%' OR table_name LIKE 'notifications%%' OR table_name LIKE 'django%%')"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" t')  # noqa: S608 - names from the catalogue itself
            found += [text for (text,) in cursor.fetchall()]
    return "\n".join(found)


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
