"""What tests of money do again and again: fill in a profile, start a payment, bring back what the bank says."""

import urllib.request
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Customer
from billing.flows import start_payment
from billing.forms import new_form_token
from billing.models import Invoice, LedgerEntry, Order, Payment, Service
from notifications.models import Event

SLUGS = ("sep", "mellat", "sadad", "parsian", "pasargad", "zarinpal", "zibal")
EVERY = pytest.mark.parametrize("gateway", SLUGS)

# How a callback of each gateway says that nothing was paid, and how a forger makes it say the contrary.
UNPAID = {
    "sep": {"State": "CanceledByUser", "Status": "1", "RefNum": ""},
    "mellat": {"ResCode": "17", "SaleReferenceId": ""},
    "sadad": {"ResCode": "-1"},
    "parsian": {"status": "-138"},
    "pasargad": {"status": "failed"},
    "zarinpal": {"Status": "NOK"},
    "zibal": {"success": "0", "status": "3"},
}
CLAIMED = {
    "sep": {"State": "OK", "Status": "2", "RefNum": "FORGED+receipt/0123456789=="},
    "mellat": {"ResCode": "0", "SaleReferenceId": "123456789012"},
    "sadad": {"ResCode": "0"},
    "parsian": {"status": "0"},
    "pasargad": {"status": "success"},
    "zarinpal": {"Status": "OK"},
    "zibal": {"success": "1", "status": "2"},
}
# The fields by which a callback names its attempt, and the one that carries an amount, where there is one.
NAMES = {
    "sep": ("ResNum", "Token"),
    "mellat": ("SaleOrderId", "RefId"),
    "sadad": ("OrderId", "Token"),
    "parsian": ("OrderId", "Token"),
    "pasargad": ("invoiceId",),
    "zarinpal": ("Authority",),
    "zibal": ("orderId", "trackId"),
}
AMOUNTS = {"sep": "Amount", "parsian": "Amount", "mellat": "FinalAmount"}
# Where the callback brings the number by which the bank is asked, and where a lost callback is found by the token.
BY_RECEIPT = {"sep": "RefNum", "mellat": "SaleReferenceId"}
BY_TOKEN = tuple(slug for slug in SLUGS if slug not in BY_RECEIPT)
# What the bank's book says of money that is ours.
OURS = dict.fromkeys(SLUGS, "verified") | {"mellat": "settled", "pasargad": "settled"}
ALREADY = {  # what a bank says when it is asked a second time
    "sep": "2", "mellat": "43", "sadad": "100", "pasargad": "13029", "zarinpal": "101", "zibal": "201"
}  # fmt: skip
NOT_REVERSED = {"sep": -6, "mellat": 55, "parsian": -1549, "zarinpal": -63}  # each one's word for "no"
REVERSIBLE = ("sep", "mellat", "parsian", "zarinpal")


def complete_profile(customer: Customer, national_code: str = "0012345679") -> Customer:
    customer.name, customer.surname = "Alice", "Example"
    customer.birth_date, customer.national_code = date(1990, 1, 1), national_code
    customer.address, customer.postal_code = "1 Valiasr Street", "1969833111"
    customer.save()
    return customer


def start(invoice: Invoice, gateway: str) -> Payment:
    """An attempt that has its token from the bank."""
    payment = start_payment(invoice=invoice, gateway=gateway, form_token=new_form_token())
    assert payment.status == Payment.Status.SENT, payment.result_code
    return payment


def arrive(invoice: Invoice, amount: int) -> LedgerEntry:
    """The row of money that came for an invoice, without what else comes with it."""
    return LedgerEntry.objects.create(
        customer=invoice.customer,
        invoice=invoice,
        payment=start(invoice, "sep"),
        kind=LedgerEntry.Kind.PAYMENT,
        amount=amount,
    )


def bring(callback, client: Client | None = None, **changed):
    """A browser carries the callback to us: a fresh one without any cookie, unless a client is given."""
    client = client or Client(headers={"accept-language": "en"})
    path, fields = urlsplit(callback.url).path, {**callback.fields, **changed}
    return client.post(path, fields) if callback.method == "POST" else client.get(path, fields)


def fresh(row):
    row.refresh_from_db()
    return row


def minutes_ago(payment: Payment, minutes: int) -> Payment:
    """Let the attempt be that much older than it is."""
    moved = {}
    for field in ("created_at", "next_try_at", "verify_deadline", "lease_until"):
        value = getattr(fresh(payment), field)
        moved[field] = value - timedelta(minutes=minutes) if value else None
    Payment.objects.filter(pk=payment.pk).update(**moved)
    return fresh(payment)


def due_now(payment: Payment) -> Payment:
    Payment.objects.filter(pk=payment.pk).update(next_try_at=timezone.now() - timedelta(seconds=1), lease_until=None)
    return fresh(payment)


def books(world, gateway: str) -> dict[str, str]:
    """What the bank's own book says of each attempt."""
    return {row["id"]: row["state"] for row in world.ledger() if row["gateway"] == gateway}


def settlement_file(world, gateway: str) -> bytes:
    """The bank's file of all days, as it gives it itself."""
    with urllib.request.urlopen(f"{world.url}/settlement/{gateway}.csv", timeout=10) as answer:
        return answer.read()


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
