"""What we hold of your orders and payments, why, for how long, and how it goes."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop as _

from billing import flows
from billing.models import Invoice, LedgerEntry, Order, Payment, Service
from portal.privacy import Held

_TAX = _("ten years after the invoice, as tax law asks, under the customer's reference alone")
_SERVICE = _("as long as the account; afterwards with its invoice, under the customer's reference alone")

HOLDS: dict[str, Held] = {
    "Order.plan": Held(_("to know what was ordered"), _TAX),
    "Service.status": Held(_("to run the service"), _SERVICE),
    "Invoice.total": Held(_("to ask for the money that is owed"), _TAX),
    "InvoiceLine.amount": Held(_("to show what the money is for"), _TAX),
    "LedgerEntry.amount": Held(_("to know what was paid"), _TAX),
    "Payment.receipt": Held(_("to prove a payment to the customer and the bank"), _TAX),
    "Payment.trace": Held(_("the second number of the receipt"), _TAX),
    "Payment.bank_time": Held(_("the time of the transaction"), _TAX),
    "StatementLine.receipt": Held(_("to compare our books with the bank's settlement file"), _TAX),
    "StatementLine.amount": Held(_("to compare our books with the bank's settlement file"), _TAX),
    "Payment.token": Held(_("to ask the bank what became of a payment"), _("24 hours after the payment is over")),
}

# Every column of the payment table and why it is there. A test compares it with the database: nothing of a card can
# be kept without standing here.
PAYMENT_COLUMNS: dict[str, str] = {
    "id": _("our number of the row"),
    "public_id": _("the unguessable address of the attempt"),
    "invoice_id": _("what is paid"),
    "gateway": _("by which gateway"),
    "amount": _("Rials asked of the bank"),
    "order_number": _("our number of the attempt at the bank"),
    "token": _("the bank's number of the attempt, blanked 24 hours after its end"),
    "receipt": _("the receipt"),
    "trace": _("the second number of the receipt"),
    "bank_time": _("the time of the transaction"),
    "taken": _("Rials that the bank took by its own word"),
    "status": _("where the attempt stands"),
    "result_code": _("the bank's last answer"),
    "tries": _("how often the bank was asked"),
    "next_try_at": _("when the bank is asked again"),
    "lease_until": _("until when one worker may ask"),
    "lease_by": _("which worker"),
    "verify_deadline": _("until when the bank waits for us"),
    "form_token": _("so that a button pressed twice is one attempt"),
    "created_at": _("when the attempt began"),
}


def export(customer: Any) -> dict[str, Any]:
    """Everything of this room that belongs to a customer. Amounts are Rials."""
    return {
        "orders": [
            {
                "number": order.number,
                "plan": order.plan.slug,
                "option": order.option.slug if order.option else None,
                "status": order.status,
                "placed_at": order.placed_at.isoformat(),
            }
            for order in Order.objects.filter(customer=customer).select_related("plan", "option")
        ],
        "services": [
            {
                "name": service.name_en,
                "status": service.status,
                "active_from": service.active_from.isoformat() if service.active_from else None,
                "paid_until": service.paid_until.isoformat() if service.paid_until else None,
            }
            for service in Service.objects.filter(customer=customer)
        ],
        "invoices": [
            {
                "number": invoice.number,
                "status": invoice.status,
                "lines": [{"name": line.name_en, "amount": line.amount} for line in invoice.lines.all()],
                "subtotal": invoice.subtotal,
                "tax": invoice.tax,
                "total": invoice.total,
                "issued_at": invoice.issued_at.isoformat(),
            }
            for invoice in Invoice.objects.filter(customer=customer).prefetch_related("lines")
        ],
        "payments": [
            {
                "invoice": payment.invoice.number,
                "gateway": payment.gateway,
                "amount": payment.amount,
                "status": payment.status,
                "receipt": payment.receipt,
                "trace": payment.trace,
                "time": payment.bank_time.isoformat() if payment.bank_time else None,
            }
            for payment in Payment.objects.filter(invoice__customer=customer).select_related("invoice")
        ],
        "ledger": [
            {"kind": entry.kind, "amount": entry.amount, "at": entry.at.isoformat()}
            for entry in LedgerEntry.objects.filter(customer=customer)
        ],
    }


def erase(customer: Any) -> None:
    """Services end and unpaid orders are taken back; documents stay, and name nobody but the reference."""
    with transaction.atomic():
        waiting = Payment.objects.filter(invoice__customer=customer).unanswered().values("invoice__order")
        for order in Order.objects.filter(customer=customer, status=Order.Status.PLACED).exclude(pk__in=waiting):
            flows.cancel_order(order=order)
        for service in Service.objects.filter(customer=customer).not_ended():
            service.end()
        over = Payment.objects.filter(invoice__customer=customer, status__in=Payment.OVER)
        over.update(token=None)
