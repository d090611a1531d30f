"""Paying through SEP and Zarinpal, against banks that keep books of their own."""

import logging

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.flows import place_order, reconcile
from billing.models import Invoice, LedgerEntry, Order, Payment, Service
from notifications.models import Event
from tests.billing.base import bring, due_now, fresh, minutes_ago, start

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("gateway", ["sep", "zarinpal"])


def books(world, gateway: str) -> dict[str, str]:
    """What the bank's own book says of each attempt."""
    return {row["id"]: row["state"] for row in world.ledger() if row["gateway"] == gateway}


def told() -> list[str]:
    return sorted(Event.objects.exclude(message="invoice_issued").values_list("message", flat=True))


def assert_paid_once(payment: Payment) -> None:
    payment, invoice = fresh(payment), fresh(payment.invoice)
    assert payment.status == Payment.Status.PAID and payment.receipt and payment.bank_time
    assert (invoice.status, invoice.received) == (Invoice.Status.PAID, invoice.total)
    assert LedgerEntry.objects.count() == 1
    assert invoice.order.status == Order.Status.PAID
    service = Service.objects.get()
    assert service.status == Service.Status.ACTIVE and service.paid_until > service.active_from
    assert [e.now for e in service.events.all()] == ["pending", "active"]
    assert told() == ["payment_received", "service_activated"]


def assert_nothing_taken(payment: Payment) -> None:
    assert not LedgerEntry.objects.exists() and told() == []
    assert fresh(payment.invoice).is_payable
    assert Service.objects.get().status == Service.Status.PENDING


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
    monkeypatch.setattr("billing.gateways.TIMEOUT", (1, 0.4))
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


# --- forged -----------------------------------------------------------------------------------------------------------


def test_sep_a_forged_success_is_refused_by_the_bank(bank, invoice):
    payment = start(invoice, "sep")
    cancelled = bank.pay("sep", payment.token, "cancel")
    bring(cancelled, State="OK", Status="2", RefNum="FORGED+receipt/0123456789==")
    assert (fresh(payment).status, fresh(payment).result_code) == (Payment.Status.FAILED, "-2")
    assert_nothing_taken(payment)


def test_zarinpal_a_forged_success_is_refused_by_the_bank(bank, invoice):
    payment = start(invoice, "zarinpal")
    bring(bank.pay("zarinpal", payment.token, "cancel"), Status="OK")
    assert (fresh(payment).status, fresh(payment).result_code) == (Payment.Status.FAILED, "-51")
    assert_nothing_taken(payment)


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


def test_the_callbacks_amount_is_never_read(bank, invoice):
    payment = start(invoice, "sep")
    bring(bank.pay("sep", payment.token), Amount="1", AffectiveAmount="999999999999")
    assert_paid_once(payment)
    assert fresh(payment).amount == invoice.total


@BOTH
@pytest.mark.parametrize("fields", [{}, {"State": "OK"}, {"Status": "2", "RefNum": "x" * 5000}, {"Status": "OK"}])
def test_an_empty_or_odd_callback_changes_nothing(bank, invoice, gateway, fields, anyone):
    payment = start(invoice, gateway)
    url = f"/pay/callback/{gateway}/{payment.public_id}/"
    answer = anyone.post(url, fields) if gateway == "sep" else anyone.get(url, fields)
    assert answer.status_code == 303
    assert fresh(payment).status in (Payment.Status.SENT, Payment.Status.CANCELLED, Payment.Status.SUSPECT)
    assert_nothing_taken(payment)


def test_the_wrong_method_or_gateway_changes_nothing(bank, invoice, anyone):
    payment = start(invoice, "sep")
    callback = bank.pay("sep", payment.token)
    path = f"/pay/callback/sep/{payment.public_id}/"
    assert anyone.get(path, callback.fields).status_code == 303
    assert anyone.post(f"/pay/callback/zarinpal/{payment.public_id}/", callback.fields).status_code == 404
    assert anyone.post("/pay/callback/sep/no-such-attempt/", callback.fields).status_code == 404
    assert anyone.put(path).status_code == 405
    assert fresh(payment).status == Payment.Status.SENT


# --- the bank does not answer well ------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("do", ["500", "html", "truncated", "refuse", "huge", {"json": []}, {"json": {}}])
def test_an_unreadable_answer_is_no_answer(bank, alice_client, invoice, gateway, do):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.next(gateway, "verify", do)
    back = bring(callback)
    assert fresh(payment).status == Payment.Status.VERIFYING
    page = alice_client.get(back.headers["Location"])
    assert "Your payment is being checked" in page.content.decode() and page.headers["Refresh"] == "5"
    assert not LedgerEntry.objects.exists()
    due_now(payment)
    assert reconcile() == {"paid": 1}
    assert_paid_once(payment)


@BOTH
@pytest.mark.parametrize("do", ["timeout", "timeout_after_commit", "slow_drip"])
def test_silence_is_waited_for_and_already_verified_counts_once(bank, invoice, gateway, do, monkeypatch):
    monkeypatch.setattr("billing.gateways.TIMEOUT", (1, 0.7))
    monkeypatch.setattr("billing.gateways.PATIENCE", 1)
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.next(gateway, "verify", do)
    bring(callback)
    assert (fresh(payment).status, fresh(payment).result_code) == (Payment.Status.VERIFYING, "timeout")
    due_now(payment)
    assert reconcile() == {"paid": 1}
    assert_paid_once(payment)
    already = {"sep": "2", "zarinpal": "101"}[gateway]
    assert fresh(payment).result_code == (already if do != "timeout" else {"sep": "0", "zarinpal": "100"}[gateway])


@BOTH
def test_our_own_misconfiguration_ends_no_payment(bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.next(gateway, "verify", {"code": {"sep": -106, "zarinpal": -10}[gateway]})
    bring(callback)
    assert fresh(payment).status == Payment.Status.VERIFYING
    due_now(payment)
    reconcile()
    assert_paid_once(payment)


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
    monkeypatch.setattr("billing.gateways.TIMEOUT", (1, 0.5))
    payment = start(invoice, "sep")
    callback = bank.pay("sep", payment.token)
    bank.next("sep", "verify", "timeout_after_commit")
    bring(callback)
    bank.clock(31 * 60)
    minutes_ago(payment, 31)
    due_now(payment)
    assert reconcile() == {"unknown": 1}
    assert books(bank, "sep") == {payment.token: "verified"}


def test_sep_another_amount_is_never_credited(bank, alice_client, invoice):
    payment = start(invoice, "sep")
    callback = bank.pay("sep", payment.token)
    bank.next("sep", "verify", {"amount": invoice.total - 1})
    back = bring(callback)
    assert fresh(payment).status == Payment.Status.SUSPECT and fresh(payment).receipt == callback.fields["RefNum"]
    assert_nothing_taken(payment)
    assert "A person has to look at this payment" in alice_client.get(back.headers["Location"]).content.decode()


def test_zarinpal_another_amount_is_never_credited(bank, invoice):
    payment = start(invoice, "zarinpal")
    callback = bank.pay("zarinpal", payment.token)
    bank.next("zarinpal", "verify", {"code": -50})
    bring(callback)
    assert fresh(payment).status == Payment.Status.SUSPECT
    assert_nothing_taken(payment)


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


@BOTH
def test_money_for_a_paid_invoice_is_not_collected(bank, alice_client, invoice, gateway):
    first, second = start(invoice, gateway), start(invoice, gateway)
    callbacks = [bank.pay(gateway, payment.token) for payment in (first, second)]
    bring(callbacks[0])
    back = bring(callbacks[1])
    assert fresh(second).status == Payment.Status.NOT_WANTED
    assert books(bank, gateway)[second.token] == "paid", "left unverified, so the bank gives it back"
    bank.clock(31 * 60)
    assert books(bank, gateway)[second.token] == "reversed"
    assert_paid_once(first)
    assert "not collected" in alice_client.get(back.headers["Location"]).content.decode()


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


def test_money_taken_for_an_invoice_that_became_void_is_kept_as_credit(bank, alice_client, invoice):
    payment = start(invoice, "zarinpal")
    callback = bank.pay("zarinpal", payment.token)
    bank.next("zarinpal", "verify", "500")
    bring(callback)
    invoice.void()
    due_now(payment)
    assert reconcile() == {"paid": 1}
    entry = LedgerEntry.objects.get()
    assert (entry.kind, entry.invoice, entry.amount) == (LedgerEntry.Kind.CREDIT, None, invoice.total)
    assert told() == ["payment_not_applied"]
    page = alice_client.get(f"/pay/{payment.public_id}/result/").content.decode()
    assert "needed it no more" in page and "See your service" not in page


def test_a_void_invoice_is_not_collected(bank, invoice):
    payment = start(invoice, "zarinpal")
    bank.pay("zarinpal", payment.token, "pay-and-close")
    invoice.void()
    minutes_ago(payment, 3)
    assert reconcile() == {"not_wanted": 1}
    assert books(bank, "zarinpal") == {payment.token: "paid"}


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
    assert not [query for query in queries.captured_queries if "session" in query["sql"]]
    assert_paid_once(payment)
