"""Stories of money: order, go to the bank, come back, be believed only when the bank says so."""

import logging
from collections import Counter
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Customer
from billing import gateways
from billing.gateways import GatewayError, Kind, Outcome, Returned
from billing.models import Invoice, LedgerEntry, Option, Order, Payment, PaymentEvent, Plan, Service
from billing.models.invoices import Line
from notifications.flows import tell

log = logging.getLogger(__name__)
Note = PaymentEvent.Note


class CannotPay(Exception):
    """In the customer's words: why no payment can be started now."""


class CannotCancel(Exception):
    """In the customer's words: why the order stays."""


# --- ordering ---------------------------------------------------------------------------------------------------------


def place_order(*, customer: Customer, plan: Plan, option: Option | None, form_token: str) -> Order:
    """Order, waiting service and invoice in one transaction. The same form sent twice gives the same order."""
    with transaction.atomic():
        new = Order(
            customer=customer,
            form_token=form_token,
            plan=plan,
            option=option,
            plan_price=plan.monthly_price,
            option_price=option.monthly_price if option else 0,
        )
        Order.objects.bulk_create([new], ignore_conflicts=True)
        order = Order.objects.select_related("customer").get(customer=customer, form_token=form_token)
        if order.number == new.number:  # else the same form came before
            parts: list[Plan | Option] = [plan, option] if option else [plan]
            lines = [Line(part.name_fa, part.name_en, part.monthly_price) for part in parts]
            service = Service.objects.create(
                customer=customer,
                order=order,
                name_fa=" + ".join(part.name_fa for part in parts),
                name_en=" + ".join(part.name_en for part in parts),
            )
            service.events.create(now=service.status)
            invoice = Invoice.issue(order=order, lines=lines)
            context = {"number": invoice.number, "total": invoice.total, "due_on": invoice.due_on.isoformat()}
            tell(customer, "invoice_issued", about=f"invoice:{invoice.number}", context=context | _link(invoice))
    return order


def cancel_order(*, order: Order) -> bool:
    """Take back an unpaid order: its invoice is void and its service never starts. False when it was so already."""
    with transaction.atomic():
        invoices = list(order.invoices.select_for_update())
        if Payment.objects.filter(invoice__in=invoices).unanswered().exists():
            raise CannotCancel(_("A payment for this order is being checked. Please wait for the bank's answer."))
        order.refresh_from_db()
        if order.status == Order.Status.PAID:
            raise CannotCancel(_("This order is already paid. Please open a ticket to end the service."))
        for invoice in invoices:
            invoice.void()
        order.service.end()
        return order.cancel()


# --- going to the bank ------------------------------------------------------------------------------------------------


def start_payment(*, invoice: Invoice, gateway: str, form_token: str) -> Payment:
    """Open an attempt at the bank; its page then sends the browser there. Raises CannotPay.

    The row is committed before the bank is called, and the call is never repeated: when it fails the attempt is over
    and the next press makes a new one, with an order number of its own.
    """
    with transaction.atomic(durable=True):
        invoice = Invoice.objects.select_for_update().get(pk=invoice.pk)
        attempts = list(invoice.payments.all())
        for attempt in attempts:
            if attempt.form_token == form_token:
                return attempt
        _refuse_what_cannot_be_paid(invoice, gateway, attempts)
        payment = Payment.objects.create(
            invoice=invoice,
            gateway=gateway,
            amount=invoice.total - invoice.received,
            form_token=form_token,
            next_try_at=timezone.now() + timedelta(minutes=2),
        )
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
        return payment
    with transaction.atomic():
        payment.leave(token, expires_in=adapter.expires_in)
    return payment


def _refuse_what_cannot_be_paid(invoice: Invoice, gateway: str, attempts: list[Payment]) -> None:
    if invoice.status == Invoice.Status.PAID:
        raise CannotPay(_("This invoice is already paid. Nothing more is due."))
    if not invoice.is_payable:
        raise CannotPay(_("This invoice is void. Nothing is due."))
    if any(attempt.is_unanswered for attempt in attempts):
        raise CannotPay(_("A payment of this invoice is being checked. Please wait, so that you do not pay twice."))
    if gateway not in {each.slug for each in gateways.for_amount(invoice.total)}:
        raise CannotPay(_("This gateway cannot be used for this invoice. Please choose another one."))


# --- coming back ------------------------------------------------------------------------------------------------------


def receive_callback(*, payment: Payment, returned: Returned) -> None:
    """What a browser brings from the bank is a hint. It binds the receipt; only verify makes money of it."""
    with transaction.atomic(durable=True):
        payment = _locked(payment)
        lease = _lease(payment) if _take_in(payment, returned) else None
    if lease:
        _ask(payment, lease)


def _take_in(payment: Payment, returned: Returned) -> bool:
    """Whether the bank is to be asked now."""
    adapter = gateways.gateway(payment.gateway)
    if payment.is_over or payment.status == Payment.Status.NEW:  # nobody can be back who was never sent
        return False
    if not adapter.matches(returned, order_number=payment.order_number, token=payment.token):
        log.warning("payment %s: a callback does not match it", payment.pk)
        # A forged claim must not disturb an attempt whose money may be on its way.
        if returned.ok and payment.token and not payment.is_unanswered:
            payment.suspect(Note.MISMATCH)
        return False
    if not returned.ok:
        if payment.status == Payment.Status.SENT:
            payment.come_back_unpaid(returned.code)
        return False
    receipt = returned.receipt or None
    if payment.is_unanswered:  # the same callback again, or another one that brings another receipt
        return receipt == payment.receipt
    if not payment.invoice.is_payable:
        payment.decline(Note.NOT_PAYABLE)
        return False
    try:
        with transaction.atomic():
            return payment.start_verifying(receipt, within=adapter.verify_within)
    except IntegrityError:
        payment.refresh_from_db()
        payment.suspect(Note.RECEIPT_USED)
        return False


def verify(*, payment: Payment) -> None:
    """Ask the bank for the money, alone and outside any transaction, and write down what it says.

    Whoever finds an attempt without an answer may call this: the callback, the sweep, a member of staff.
    """
    with transaction.atomic(durable=True):
        payment = _locked(payment)
        lease = _lease(payment)
    if lease:
        _ask(payment, lease)


def _ask(payment: Payment, lease: str) -> None:
    adapter = gateways.gateway(payment.gateway)
    outcome = adapter.verify(amount=payment.amount, token=payment.token, receipt=payment.receipt)
    with transaction.atomic():
        payment = _locked(payment, "invoice__customer", "invoice__order__service")
        payment.end_lease(lease)
        if payment.is_unanswered:
            _write_down(payment, outcome)


def _lease(payment: Payment) -> str | None:
    if not payment.is_unanswered:
        return None
    invoice = payment.invoice
    # Before the first call the bank has not been asked for this money, and we can still leave it be.
    if payment.tries == 0 and not invoice.is_payable:
        payment.decline(Note.NOT_PAYABLE)
        return None
    if payment.tries == 0 and invoice.payments.unanswered().exclude(pk=payment.pk).filter(tries__gt=0).exists():
        if payment.is_past_deadline:
            payment.decline(Note.HELD_BACK)
        else:
            payment.ask_later()
        return None
    return payment.take_lease()


def _write_down(payment: Payment, outcome: Outcome) -> None:
    if outcome.kind in (Kind.PAID, Kind.ALREADY):
        _settle(payment, outcome)
    elif outcome.kind is Kind.MISMATCH:
        payment.suspect(Note.OTHER_AMOUNT, outcome.code)
    elif outcome.kind is Kind.NOT_PAID:
        payment.fail(outcome.code)
    elif outcome.kind is Kind.GIVEN_BACK or (outcome.kind is Kind.TOO_LATE and payment.tries == 1):
        payment.fail(outcome.code, Note.GIVEN_BACK)
    else:
        # Too late after calls whose answers were lost says nothing: one of them may have taken the money.
        log.warning("payment %s: no answer to verify: %s", payment.pk, outcome.code)
        payment.keep_asking(outcome.code)


def _settle(payment: Payment, outcome: Outcome) -> None:
    """The one place where money arrives: receipt, ledger, invoice, order and service in one transaction."""
    try:
        with transaction.atomic():
            payment.pay(receipt=outcome.receipt, trace=outcome.trace, bank_time=outcome.bank_time, code=outcome.code)
    except IntegrityError:
        payment.refresh_from_db()
        payment.suspect(Note.RECEIPT_USED, outcome.code)
        return
    invoice, customer = payment.invoice, payment.invoice.customer
    wanted = invoice.is_payable
    LedgerEntry.objects.create(
        customer=customer,
        payment=payment,
        invoice=invoice if wanted else None,
        kind=LedgerEntry.Kind.PAYMENT if wanted else LedgerEntry.Kind.CREDIT,
        amount=payment.amount,
    )
    about, key = f"invoice:{invoice.number}", f"payment:{payment.order_number}"
    context = {"number": invoice.number, "amount": payment.amount} | _link(invoice)
    if not wanted:
        tell(customer, "payment_not_applied", about=about, context=context, key=f"payment_not_applied:{key}")
        return
    context |= {"receipt": payment.receipt, "at": (payment.bank_time or timezone.now()).isoformat()}
    tell(customer, "payment_received", about=about, context=context, key=f"payment_received:{key}")
    if invoice.settle():
        invoice.order.pay()
        service = invoice.order.service
        # It may have ended while the bank kept silent, as when an account is closed: the money is kept all the same.
        if service.status != Service.Status.ENDED and service.activate():
            name = service.name_en if customer.language == "en" else service.name_fa
            about = f"service:{service.public_id}"
            tell(customer, "service_activated", about=about, context={"name": name} | _link(service))


# --- what callbacks lost ----------------------------------------------------------------------------------------------


def reconcile() -> dict[str, int]:
    """Look again at every attempt that is due. Answers how many stand in which status after it."""
    found = [look_again(payment=payment) for payment in Payment.objects.to_check()]
    return dict(Counter(found))


def look_again(*, payment: Payment) -> str:
    """Finish one attempt that nobody came back from or whose bank did not answer; its status after that."""
    if payment.is_unanswered:
        verify(payment=payment)
    elif payment.status == Payment.Status.NEW:
        with transaction.atomic():
            payment = _locked(payment)
            # Before its time, another process may be asking the bank for its token.
            if payment.status == Payment.Status.NEW and payment.is_due:
                payment.expire(Note.NEVER_LEFT)
    elif payment.status == Payment.Status.SENT:
        _ask_where_it_is(payment)
    payment.refresh_from_db()
    return payment.status


def _ask_where_it_is(payment: Payment) -> None:
    adapter = gateways.gateway(payment.gateway)
    outcome = adapter.inquire(token=payment.token or "")
    with transaction.atomic(durable=True):
        payment = _locked(payment)
        if payment.status != Payment.Status.SENT:
            return
        paid = outcome is not None and outcome.kind is Kind.PAID
        silent = outcome is not None and outcome.kind in (Kind.NO_ANSWER, Kind.MISCONFIGURED)
        given_up = timezone.now() > payment.created_at + timedelta(hours=24)
        if paid and payment.invoice.is_payable:
            payment.start_verifying(None, within=adapter.verify_within)
        elif paid:
            payment.decline(Note.NOT_PAYABLE)
        elif outcome is not None and outcome.kind is Kind.NOT_PAID:
            payment.fail(outcome.code)
        elif outcome is not None and outcome.kind is Kind.GIVEN_BACK:
            payment.fail(outcome.code, Note.GIVEN_BACK)
        elif payment.is_past_deadline and (not silent or given_up):
            payment.expire(Note.NO_RETURN)
        else:
            payment.ask_later()
    if paid:
        verify(payment=payment)


def forget_tokens() -> int:
    """Blank the banks' tokens of attempts that are over for a day. Answers how many."""
    rows = list(Payment.objects.forgettable())
    for payment in rows:
        payment.forget_token()
    return len(rows)


# --- small words ------------------------------------------------------------------------------------------------------


def _locked(payment: Payment, *related: str) -> Payment:
    """The attempt and its invoice, locked in this order everywhere and read in one statement."""
    rows = Payment.objects.select_related("invoice", *related)
    return rows.select_for_update(of=("self", "invoice")).get(pk=payment.pk)


def _link(row: Invoice | Service) -> dict[str, str]:
    return {"url": settings.SITE_URL + row.get_absolute_url()}
