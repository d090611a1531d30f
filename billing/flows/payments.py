"""Go to the bank, or pay from the credit."""

import logging

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Customer
from billing import gateways
from billing.gateways import GatewayError
from billing.models import GatewayAccount, Invoice, LedgerEntry, Payment, Way
from billing.models.gateway_accounts import first_part
from billing.models.payments import QUIET

from .orders import settle_invoice

log = logging.getLogger(__name__)


class CannotPay(Exception):
    """In the customer's words: why no payment can be started now."""


def start_payment(*, invoice: Invoice, gateway: str, form_token: str, amount: int | None = None) -> Payment:
    """Open an attempt at the bank; its page then sends the browser there. Raises CannotPay.

    Without an amount it is all that is due, or as much of it as the gateway takes at a time. The row is committed
    before the bank is called, and the call is never repeated: when it fails the attempt is over and the next press
    makes a new one, with an order number of its own.
    """
    with transaction.atomic(durable=True):
        invoice = Invoice.objects.select_for_update().annotate(db_now=Now()).get(pk=invoice.pk)
        attempts = list(invoice.payments.all())
        for attempt in attempts:
            if attempt.form_token == form_token:
                return attempt
        way = _way(invoice, gateway, attempts, amount)
        payment = Payment.objects.create(
            invoice=invoice,
            gateway=gateway,
            amount=way.amount,
            form_token=form_token,
            created_at=invoice.db_now,
            next_try_at=invoice.db_now + QUIET,
        )
        payment.db_now = invoice.db_now  # type: ignore[attr-defined]
        payment.events.create(now=payment.status)
    adapter = gateways.gateway(gateway)
    try:
        token = adapter.ask_token(
            amount=payment.amount,
            order_number=payment.order_number,
            callback_url=settings.SITE_URL + reverse("pay_callback", args=[gateway, payment.public_id]),
            description=_("Invoice %(number)s") % {"number": invoice.number},
        )
    except GatewayError as error:
        log.warning("payment %s: %s gave no token: %s", payment.pk, gateway, error)
        with transaction.atomic():
            payment.never_leave(error.code)
        GatewayAccount.objects.note(gateway, error.kind, error.code)
        return payment
    with transaction.atomic():
        payment.leave(token, expires_in=adapter.expires_in)
        if way.is_failing:
            GatewayAccount.objects.worked(gateway)
    return payment


def _way(invoice: Invoice, gateway: str, attempts: list[Payment], amount: int | None) -> Way:
    """How this gateway takes what is due, or the part of it that was asked for. Raises CannotPay."""
    if invoice.status == Invoice.Status.PAID:
        raise CannotPay(_("This invoice is already paid. Nothing more is due."))
    if not invoice.is_payable:
        raise CannotPay(_("This invoice is void. Nothing is due."))
    if any(attempt.is_unanswered for attempt in attempts):
        raise CannotPay(_("A payment of this invoice is being checked. Please wait, so that you do not pay twice."))
    due = invoice.due
    way = next((way for way in GatewayAccount.objects.ways(due) if way.gateway.slug == gateway), None)
    if way is None:
        raise CannotPay(_("This gateway cannot be used for this invoice. Please choose another one."))
    if amount is None:
        return way
    if not way.allows(amount, due):
        raise CannotPay(_("This amount cannot be paid by this gateway. Please choose another amount."))
    return way._replace(amount=amount)


def use_credit(*, invoice: Invoice) -> int:
    """Pay from the customer's credit as much of an invoice as it covers; how many Rials that was.

    Raises CannotPay while a payment of the invoice is being checked, and where the rest could be paid by no gateway.
    """
    with transaction.atomic():
        invoice = Invoice.objects.select_for_update(of=("self",)).select_related("order__service").get(pk=invoice.pk)
        if invoice.payments.unanswered().exists():
            raise CannotPay(_("A payment of this invoice is being checked. Please wait for the bank's answer."))
        customer = Customer.objects.select_for_update(no_key=True).get(pk=invoice.customer_id)
        due, credit = invoice.due, LedgerEntry.objects.visible_to(customer).credit().total()
        if not due or not credit:
            return 0
        amount = first_part(due, credit)
        if not amount:
            raise CannotPay(
                _(
                    "Your credit was not used: what it leaves of this invoice is less than any gateway takes."
                    " Please pay the invoice by a gateway. The credit stays yours."
                )
            )
        LedgerEntry.move(customer.pk, LedgerEntry.Kind.USED, amount, source=None, target=invoice)
        settle_invoice(invoice, customer, due=due - amount)
        return amount
