"""What must hold at every gateway alike, against banks that speak the gateways' own protocols."""

import pytest

from billing import gateways
from billing.flows import place_order, reconcile
from billing.models import LedgerEntry, Payment
from tests.billing.base import (
    ALREADY,
    AMOUNTS,
    BY_RECEIPT,
    BY_TOKEN,
    CLAIMED,
    EVERY,
    NAMES,
    OURS,
    REVERSIBLE,
    SLUGS,
    UNPAID,
    assert_nothing_taken,
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
LATE_M = {"sep": 31, "mellat": 21, "sadad": 16, "parsian": 16, "pasargad": 11, "zarinpal": 31, "zibal": 31}
STATUS = Payment.Status


@pytest.fixture
def other(alice, plan, backup):
    """A larger order of alice's."""
    return place_order(customer=alice, plan=plan, option=backup, form_token="o" * 20).invoices.get()


@pytest.fixture
def equal(alice, plan):
    """An order of the same amount."""
    return place_order(customer=alice, plan=plan, option=None, form_token="e" * 20).invoices.get()


# --- the whole way ----------------------------------------------------------------------------------------------------


@EVERY
def test_a_payment_arrives_once(bank, alice_client, invoice, gateway):
    payment = start(invoice, gateway)
    back = bring(bank.pay(gateway, payment.token))
    assert (back.status_code, back.headers["Location"]) == (303, f"/pay/{payment.public_id}/result/")
    assert_paid_once(payment)
    payment, row = fresh(payment), bank.ledger()[0]
    assert (row["state"], row["amount"], row["receipt"]) == (OURS[gateway], invoice.total, payment.receipt)
    assert payment.taken == payment.amount == invoice.total
    page = alice_client.get(back.headers["Location"]).content.decode()
    assert "Paid. Thank you" in page and payment.receipt.replace("+", "&#x2B;") in page.replace("+", "&#x2B;")


@EVERY
def test_a_cancelled_one_takes_nothing_and_may_be_tried_again(bank, alice_client, invoice, gateway):
    payment = start(invoice, gateway)
    back = bring(bank.pay(gateway, payment.token, "cancel"))
    assert fresh(payment).status == STATUS.CANCELLED
    assert_nothing_taken(payment)
    page = alice_client.get(back.headers["Location"]).content.decode()
    assert "You came back without paying" in page and "72 hours" in page and f'value="{gateway}"' in page
    again = start(invoice, gateway)
    bring(bank.pay(gateway, again.token))
    assert_paid_once(again)


@EVERY
def test_the_same_callback_again_changes_nothing(bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    for _ in range(3):
        bring(callback)
    assert_paid_once(payment)


@EVERY
def test_the_leaving_page_leads_to_this_bank_and_says_where_it_comes_from(bank, alice_client, invoice, gateway):
    payment = start(invoice, gateway)
    page = alice_client.get(f"/pay/{payment.public_id}/")
    assert page.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert f"form-action 'self' {bank.url};" in page.headers["Content-Security-Policy"] + ";"
    html = page.content.decode()
    assert f"{bank.url}/{gateway}/" in html and payment.token in html and "data-leave" in html
    other = alice_client.get(invoice.get_absolute_url())
    assert other.headers["Referrer-Policy"] == "same-origin"
    assert bank.url not in other.headers["Content-Security-Policy"]


# --- nobody comes back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gateway", BY_TOKEN)
def test_a_lost_callback_is_found_by_the_token(bank, invoice, gateway):
    payment = start(invoice, gateway)
    bank.pay(gateway, payment.token, "pay-and-close")
    assert reconcile() == {}, "the browser is given two minutes first"
    minutes_ago(payment, 3)
    assert reconcile() == {"paid": 1}
    assert_paid_once(payment)
    assert reconcile() == {}


@pytest.mark.parametrize("gateway", BY_RECEIPT)
def test_where_only_the_callback_has_the_number_the_bank_gives_the_money_back(bank, alice_client, invoice, gateway):
    payment = start(invoice, gateway)
    bank.pay(gateway, payment.token, "pay-and-close")
    minutes_ago(payment, 31)
    bank.clock(31 * 60)
    assert reconcile() == {"expired": 1}
    assert books(bank, gateway) == {payment.token: "reversed"}
    assert_nothing_taken(payment)
    page = alice_client.get(f"/pay/{payment.public_id}/result/").content.decode()
    assert "Nobody came back from the bank" in page and "72 hours" in page


@pytest.mark.parametrize("gateway", BY_TOKEN)
def test_asking_while_the_payer_is_at_the_bank_ends_nothing(bank, invoice, gateway):
    payment = start(invoice, gateway)
    minutes_ago(payment, 3)
    assert reconcile() == {"sent": 1}
    callback = bank.pay(gateway, payment.token)
    bring(callback)
    assert_paid_once(payment)


@pytest.mark.parametrize("gateway", BY_TOKEN)
def test_a_cancelled_page_that_was_paid_after_all_is_found(bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token, "pay-and-close")
    bring(callback, **UNPAID[gateway])
    assert fresh(payment).status == STATUS.CANCELLED
    minutes_ago(payment, 3)
    assert reconcile() == {"paid": 1}
    assert_paid_once(payment)


@EVERY
def test_what_nobody_paid_ends_with_the_payers_time(bank, invoice, gateway):
    payment = start(invoice, gateway)
    minutes_ago(payment, 31)
    reconcile()
    assert fresh(payment).status in (STATUS.EXPIRED, STATUS.FAILED)
    assert_nothing_taken(payment)
    assert reconcile() == {}


# --- forged, crossed, replayed ----------------------------------------------------------------------------------------


@EVERY
def test_a_forged_success_is_refused_by_the_bank(bank, invoice, gateway):
    payment = start(invoice, gateway)
    bring(bank.pay(gateway, payment.token, "cancel"), **CLAIMED[gateway])
    assert fresh(payment).status == STATUS.FAILED
    assert_nothing_taken(payment)


@EVERY
def test_a_failure_first_does_not_spoil_the_success_after_it(bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bring(callback, **UNPAID[gateway])
    assert fresh(payment).status == STATUS.CANCELLED
    bring(callback)
    assert_paid_once(payment)


@pytest.mark.parametrize("gateway", AMOUNTS)
def test_the_callbacks_amount_decides_nothing(bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bring(callback, **{AMOUNTS[gateway]: "1"})
    if gateway == "mellat":  # where it differs, a discount was given that nobody agreed on
        assert fresh(payment).status == STATUS.SUSPECT and books(bank, gateway) == {payment.token: "paid"}
        bring(callback)
    assert_paid_once(payment)
    assert fresh(payment).amount == invoice.total


@EVERY
@pytest.mark.parametrize("which", ["other", "equal"])
def test_what_was_paid_for_one_order_pays_no_other(bank, invoice, gateway, which, request):
    """A larger order, and one of the same amount: there the amounts agree, and only the unique receipt helps.

    SEP's answer names no order, so there the receipt pays whichever of the payer's equal orders brings it first.
    """
    second = start(request.getfixturevalue(which), gateway)
    first = start(invoice, gateway)
    paid = bank.pay(gateway, first.token)
    unpaid = bank.pay(gateway, second.token, "cancel")
    receipt = BY_RECEIPT.get(gateway)
    replayed = {receipt: paid.fields[receipt]} if receipt else {}
    bring(unpaid, **CLAIMED[gateway] | replayed)
    bring(paid)
    bring(unpaid, **CLAIMED[gateway] | replayed)
    assert LedgerEntry.objects.count() <= 1
    if (gateway, which) != ("sep", "equal"):
        assert fresh(second).status in (STATUS.FAILED, STATUS.SUSPECT, STATUS.REVERSED)
        assert fresh(second.invoice).is_payable


@EVERY
def test_the_receipt_once_used_pays_nothing_again(bank, invoice, other, gateway):
    first, second = start(invoice, gateway), start(other, gateway)
    paid = bank.pay(gateway, first.token)
    bring(paid)
    assert fresh(first).status == STATUS.PAID
    crossed = {name: paid.fields[name] for name in NAMES[gateway]}
    bring(bank.pay(gateway, second.token, "cancel"), **CLAIMED[gateway] | crossed)
    assert fresh(second).status == STATUS.SUSPECT and fresh(second).receipt is None
    assert LedgerEntry.objects.count() == 1 and fresh(other).is_payable


@pytest.mark.parametrize(("gateway", "name"), [(slug, name) for slug in SLUGS for name in NAMES[slug]])
def test_each_name_of_the_attempt_must_be_its_own(bank, invoice, other, gateway, name):
    """One of them crossed with another attempt's is enough to ask the bank nothing; the real callback still counts."""
    payment, stranger = start(invoice, gateway), start(other, gateway)
    callback = bank.pay(gateway, payment.token)
    foreign = bank.pay(gateway, stranger.token)
    bring(callback, **{name: foreign.fields[name]})
    assert fresh(payment).status == STATUS.SUSPECT
    assert books(bank, gateway)[payment.token] == "paid", "the bank was not asked"
    assert_nothing_taken_for(payment)
    bring(callback)
    assert fresh(payment).status == STATUS.PAID and LedgerEntry.objects.count() == 1


def assert_nothing_taken_for(payment: Payment) -> None:
    assert not payment.ledger.exists() and fresh(payment.invoice).is_payable


@EVERY
def test_an_empty_callback_changes_nothing(bank, invoice, gateway, anyone):
    payment = start(invoice, gateway)
    url = f"/pay/callback/{gateway}/{payment.public_id}/"
    for fields in ({}, dict.fromkeys(CLAIMED[gateway], ""), dict.fromkeys(CLAIMED[gateway], "x" * 5000)):
        for send in (anyone.get, anyone.post):
            assert send(url, fields).status_code == 303
    assert fresh(payment).status in (STATUS.SENT, STATUS.CANCELLED)
    assert_nothing_taken(payment)
    bring(bank.pay(gateway, payment.token))
    assert_paid_once(payment)


@EVERY
def test_a_success_without_its_numbers_asks_the_bank_nothing(bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    missing = [BY_RECEIPT[gateway]] if gateway in BY_RECEIPT else NAMES[gateway]
    bring(callback, **dict.fromkeys(missing, ""))
    assert fresh(payment).status in (STATUS.SUSPECT, STATUS.CANCELLED)
    assert books(bank, gateway) == {payment.token: "paid"}
    assert_nothing_taken(payment)


# --- the bank does not answer well ------------------------------------------------------------------------------------

ODD = [
    "500",
    "html",
    "truncated",
    "refuse",
    "huge",
    {"raw": "[]"},
    {"raw": "{}"},
    {"raw": "<a/>"},
    {"raw": "<!DOCTYPE a>"},
]


@EVERY
@pytest.mark.parametrize("do", ODD, ids=str)
def test_an_unreadable_answer_is_no_answer(bank, alice_client, invoice, gateway, do):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.next(gateway, "verify", do)
    back = bring(callback)
    assert fresh(payment).status == STATUS.VERIFYING
    page = alice_client.get(back.headers["Location"])
    assert "Your payment is being checked" in page.content.decode() and page.headers["Refresh"] == "5"
    assert not LedgerEntry.objects.exists()
    due_now(payment)
    assert reconcile() == {"paid": 1}
    assert_paid_once(payment)


@pytest.mark.parametrize("gateway", ["mellat", "parsian"])
def test_a_soap_fault_is_no_answer(bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.next(gateway, "verify", "fault")
    bring(callback)
    assert fresh(payment).status == STATUS.VERIFYING
    due_now(payment)
    reconcile()
    assert_paid_once(payment)


@EVERY
@pytest.mark.parametrize("do", ["timeout", "timeout_after_commit", "slow_drip"])
def test_silence_is_waited_for_and_already_counts_once(bank, invoice, gateway, do, monkeypatch):
    monkeypatch.setattr("billing.gateways.wire.TIMEOUT", (1, 0.7))
    monkeypatch.setattr("billing.gateways.wire.PATIENCE", 1)
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.next(gateway, "verify", do)
    if gateway == "parsian" and do != "timeout":  # this bank says success again, unless it is made to say otherwise
        bank.next(gateway, "verify", {"code": -1533})
    bring(callback)
    assert (fresh(payment).status, fresh(payment).result_code) == (STATUS.VERIFYING, "timeout")
    assert "timeout" in {event.code for event in payment.events.all()} or fresh(payment).tries == 1
    due_now(payment)
    reconcile()
    if gateway == "parsian" and do != "timeout":
        due_now(payment)  # "confirmed before" came without the receipt, so it was asked once more
        reconcile()
    assert_paid_once(payment)


@pytest.mark.parametrize("gateway", [slug for slug in SLUGS if slug != "parsian"])
def test_confirmed_before_our_first_question_is_not_believed(bank, invoice, gateway):
    """Somebody else asked the bank, for another shop page perhaps: this attempt never did."""
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    theirs = payment.attempt._replace(receipt=callback.fields.get(BY_RECEIPT.get(gateway, ""), ""))
    assert gateways.gateway(gateway).verify(theirs).kind is gateways.Kind.PAID
    bring(callback)
    assert (fresh(payment).status, fresh(payment).result_code) == (STATUS.SUSPECT, ALREADY[gateway])
    assert_nothing_taken(payment)


CONFIG = {"sep": -106, "mellat": 421, "sadad": 1025, "parsian": -127, "pasargad": 401, "zarinpal": -10, "zibal": 102}


@EVERY
def test_our_own_misconfiguration_ends_no_payment(bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.next(gateway, "verify", {"code": CONFIG[gateway]})
    bring(callback)
    assert (fresh(payment).status, fresh(payment).result_code) == (STATUS.VERIFYING, str(CONFIG[gateway]))
    due_now(payment)
    reconcile()
    assert_paid_once(payment)


@pytest.mark.parametrize("gateway", ["sep", "sadad", "zibal"])
def test_another_amount_is_never_credited(bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.next(gateway, "verify", {"amount": invoice.total - 1})
    bring(callback)
    given_back = gateway in REVERSIBLE
    payment = fresh(payment)
    assert payment.status == (STATUS.REVERSED if given_back else STATUS.UNAPPLIED)
    assert payment.taken == invoice.total - 1 and not LedgerEntry.objects.exists() and fresh(invoice).is_payable
    assert told() == ["payment_given_back" if given_back else "payment_not_applied"]


def test_pasargad_another_amount_is_seen_before_anything_is_taken(bank, invoice):
    payment = start(invoice, "pasargad")
    callback = bank.pay("pasargad", payment.token)
    bank.next("pasargad", "inquiry", {"amount": invoice.total - 1})
    bring(callback)
    assert fresh(payment).status == STATUS.SUSPECT and books(bank, "pasargad") == {payment.token: "paid"}
    assert_nothing_taken(payment)


@EVERY
def test_after_the_deadline_the_money_is_gone(bank, invoice, gateway):
    """The bank gave it back by itself; its clock decides, not the browser that comes late."""
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.clock(LATE_M[gateway] * 60)
    bring(callback)
    assert fresh(payment).status == STATUS.FAILED
    assert books(bank, gateway) == {payment.token: "reversed"}
    assert_nothing_taken(payment)


# --- unwanted money ---------------------------------------------------------------------------------------------------


@EVERY
def test_money_for_a_paid_invoice_is_not_collected(bank, alice_client, invoice, gateway):
    first, second = start(invoice, gateway), start(invoice, gateway)
    callbacks = [bank.pay(gateway, payment.token) for payment in (first, second)]
    bring(callbacks[0])
    back = bring(callbacks[1])
    assert fresh(second).status == STATUS.NOT_WANTED
    assert books(bank, gateway)[second.token] == "paid", "left unverified, so the bank gives it back"
    bank.clock(31 * 60)
    assert books(bank, gateway)[second.token] == "reversed"
    assert_paid_once(first)
    assert "not collected" in alice_client.get(back.headers["Location"]).content.decode()


@EVERY
def test_money_for_a_void_invoice_is_not_collected(bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    invoice.void()
    bring(callback)
    assert fresh(payment).status == STATUS.NOT_WANTED
    assert books(bank, gateway) == {payment.token: "paid"}


@EVERY
def test_money_taken_for_what_became_void_goes_back_or_waits_for_a_person(bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.next(gateway, "verify", "500")
    bring(callback)
    invoice.void()
    due_now(payment)
    reconcile()
    payment = fresh(payment)
    if gateway in REVERSIBLE:
        assert payment.status == STATUS.REVERSED and books(bank, gateway) == {payment.token: "reversed"}
        assert told() == ["payment_given_back"]
    else:
        assert payment.status == STATUS.UNAPPLIED and payment.taken == payment.amount
        assert told() == ["payment_not_applied"]
    assert not LedgerEntry.objects.exists()


# --- going there ------------------------------------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize("do", ["500", "html", "truncated", "refuse", {"raw": "{}"}, "code"])
def test_a_gateway_that_does_not_open_costs_nothing(bank, alice_client, invoice, gateway, do):
    bank.next(gateway, "start", {"code": CONFIG[gateway]} if do == "code" else do)
    url = f"{invoice.get_absolute_url()}pay/"
    away = alice_client.post(url, {"gateway": gateway, "form_token": "p" * 20})
    page = alice_client.get(away.headers["Location"], follow=True).content.decode()
    assert "The payment did not succeed" in page and "Nothing was taken" in page and 'name="gateway"' in page
    assert Payment.objects.get().status == STATUS.FAILED
    again = alice_client.post(url, {"gateway": gateway, "form_token": "q" * 20})
    assert alice_client.get(again.headers["Location"]).status_code == 200


@EVERY
def test_the_bank_learns_amount_number_and_address_alone(bank, invoice, gateway):
    payment = start(invoice, gateway)
    row = bank.ledger()[0]
    assert (row["amount"], row["order"]) == (invoice.total, str(payment.order_number))
    assert row["callback_url"] == f"http://testserver/pay/callback/{gateway}/{payment.public_id}/"
    assert invoice.customer.email not in str(row) and invoice.customer.mobile not in str(row)
