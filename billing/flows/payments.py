"""Go to the bank, come back, and be believed only when the bank says so."""

import logging
from collections import Counter

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext as _

from billing import gateways
from billing.gateways import GatewayError, Kind, Outcome, Returned
from billing.models import GatewayAccount, Invoice, LedgerEntry, Payment, PaymentEvent
from billing.models.payments import LATE_FOR, QUIET
from notifications.flows import tell

from .orders import link, settle_invoice

log = logging.getLogger(__name__)
Note = PaymentEvent.Note


class CannotPay(Exception):
    """In the customer's words: why no payment can be started now."""


# --- going to the bank ------------------------------------------------------------------------------------------------


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
        payment = Payment.objects.create(
            invoice=invoice,
            gateway=gateway,
            amount=_amount_to_ask(invoice, gateway, attempts, amount),
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
        _note_failure(gateway, error.kind, error.code)
        return payment
    with transaction.atomic():
        payment.leave(token, expires_in=adapter.expires_in)
        GatewayAccount.objects.worked(gateway)
    return payment


def _amount_to_ask(invoice: Invoice, gateway: str, attempts: list[Payment], amount: int | None) -> int:
    """Rials, within what is due and what the gateway takes. Raises CannotPay."""
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
        return way.amount
    if not way.allows(amount, due):
        raise CannotPay(_("This amount cannot be paid by this gateway. Please choose another amount."))
    return amount


def _note_failure(gateway: str, kind: Kind, code: str) -> None:
    """Silence and refused credentials are the gateway's trouble; any other answer is one."""
    if kind in (Kind.NO_ANSWER, Kind.MISCONFIGURED):
        GatewayAccount.objects.failed(gateway, code)


# --- coming back ------------------------------------------------------------------------------------------------------


def receive_callback(*, payment: Payment, returned: Returned) -> None:
    """What a browser brings from the bank is a hint. It binds the receipt; only verify makes money of it."""
    with transaction.atomic(durable=True):
        payment = Payment.objects.locked().get(pk=payment.pk)
        lease = _lease(payment) if _take_in(payment, returned) else None
    if lease:
        _ask(payment, lease)


def _take_in(payment: Payment, returned: Returned) -> bool:
    """Whether the bank is to be asked now."""
    adapter = gateways.gateway(payment.gateway)
    can_begin = payment.status in Payment.OPEN
    if not can_begin and not payment.is_unanswered:
        return False
    if not adapter.matches(returned, payment.attempt):
        log.warning("payment %s: a callback does not match it", payment.pk)
        # A forged claim must not disturb an attempt whose money may be on its way.
        if returned.ok and payment.token and can_begin:
            payment.suspect(Note.MISMATCH)
        return False
    if not returned.ok:
        if payment.status == Payment.Status.SENT:
            payment.come_back_unpaid(returned.code)
        return False
    receipt = returned.receipt or None
    if payment.is_unanswered:  # the same callback again, or another one that brings another receipt
        return receipt == payment.receipt
    if payment.amount > payment.invoice.due:
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
        payment = Payment.objects.locked().get(pk=payment.pk)
        lease = _lease(payment)
    if lease:
        _ask(payment, lease)


def _lease(payment: Payment) -> str | None:
    if not payment.is_unanswered:
        return None
    # Before the first call the bank has not been asked for this money, and we can still leave it be.
    if payment.tries == 0:
        invoice = payment.invoice
        others = invoice.payments.unanswered().exclude(pk=payment.pk)
        if others.filter(tries__gt=0).exists():
            if payment.is_past_deadline:
                payment.decline(Note.HELD_BACK)
            else:
                payment.ask_later()
            return None
        if payment.amount > invoice.due:
            payment.decline(Note.NOT_PAYABLE)
            return None
    return payment.take_lease()


def _ask(payment: Payment, lease: str) -> None:
    adapter = gateways.gateway(payment.gateway)
    outcome = adapter.verify(payment.attempt)
    with transaction.atomic():
        payment = Payment.objects.locked("invoice__customer", "invoice__order__service").get(pk=payment.pk)
        payment.end_lease(lease)
        if payment.is_unanswered:
            _write_down(payment, outcome)
    _note_failure(payment.gateway, outcome.kind, outcome.code)
    # What the bank still has to hear is told at once; the sweep does it when this process ends before.
    if payment.status == Payment.Status.UNSETTLED:
        settle(payment=payment)
    elif payment.status == Payment.Status.UNAPPLIED:
        from .refunds import give_back

        give_back(payment=payment)


def _write_down(payment: Payment, outcome: Outcome) -> None:
    kind, code = outcome.kind, outcome.code
    if kind is Kind.ALREADY and payment.tries < 2:
        # Our first question: whoever confirmed it before, it was not this attempt.
        payment.suspect(Note.USED_BEFORE, code)
    elif kind in (Kind.PAID, Kind.ALREADY):
        _receive(payment, outcome)
    elif kind is Kind.MISMATCH and outcome.taken:
        _set_aside(payment, outcome, Note.OTHER_AMOUNT, outcome.taken)
    elif kind is Kind.MISMATCH:
        payment.suspect(Note.DOES_NOT_FIT, code)
    elif kind is Kind.NOT_PAID:
        if not payment.wait_on(code, expires_in=_adapter(payment).expires_in):
            payment.fail(code)
    elif kind is Kind.GIVEN_BACK or (kind is Kind.TOO_LATE and payment.tries == 1):
        payment.fail(code, Note.GIVEN_BACK)
    else:
        # Too late after calls whose answers were lost says nothing: one of them may have taken the money.
        log.warning("payment %s: no answer to verify: %s", payment.pk, code)
        payment.keep_asking(code)


def _receive(payment: Payment, outcome: Outcome) -> None:
    """The one place where money arrives: receipt, ledger, invoice, order and service in one transaction."""
    invoice, customer = payment.invoice, payment.invoice.customer
    if payment.amount > invoice.due:
        _set_aside(payment, outcome, Note.NOT_PAYABLE, payment.amount)
        return
    try:
        with transaction.atomic():
            payment.receive(
                receipt=outcome.receipt,
                trace=outcome.trace,
                bank_time=outcome.bank_time,
                code=outcome.code,
                taken=payment.amount,
                settles=_adapter(payment).settles,
            )
    except IntegrityError:
        payment.refresh_from_db()
        payment.suspect(Note.RECEIPT_USED, outcome.code)
        return
    LedgerEntry.objects.create(
        customer=customer, payment=payment, invoice=invoice, kind=LedgerEntry.Kind.PAYMENT, amount=payment.amount
    )
    context = {"number": invoice.number, "amount": payment.amount, "receipt": payment.receipt}
    context |= {"at": (payment.bank_time or payment.now).isoformat()} | link(invoice)
    tell_of(payment, "payment_received", context)
    settle_invoice(invoice, customer)


def _set_aside(payment: Payment, outcome: Outcome, note: str, taken: int) -> None:
    """Money that the bank has taken, and that goes to no invoice. Nothing is credited by itself."""
    from .refunds import can_reverse

    try:
        with transaction.atomic():
            payment.set_aside(
                note,
                receipt=outcome.receipt or payment.receipt,
                trace=outcome.trace,
                bank_time=outcome.bank_time,
                code=outcome.code,
                taken=taken,
            )
    except IntegrityError:
        payment.refresh_from_db()
        payment.suspect(Note.RECEIPT_USED, outcome.code)
        return
    if not can_reverse(payment):  # else it goes back at once, and that is what there is to say
        tell_not_applied(payment)


def tell_not_applied(payment: Payment) -> None:
    invoice = payment.invoice
    tell_of(payment, "payment_not_applied", {"number": invoice.number, "amount": payment.taken} | link(invoice))


def tell_of(payment: Payment, message: str, context: dict[str, object], key: str = "") -> None:
    """Once for each attempt and message; once for each key, where one is given."""
    about, key = f"invoice:{payment.invoice.number}", key or f"payment:{payment.order_number}"
    tell(payment.invoice.customer, message, about=about, context=context, key=f"{message}:{key}")


# --- what the bank must hear again ------------------------------------------------------------------------------------


def settle(*, payment: Payment) -> None:
    """Have verified money transferred to us; the service runs already."""
    with transaction.atomic(durable=True):
        payment = Payment.objects.locked().get(pk=payment.pk)
        lease = payment.take_lease() if payment.status == Payment.Status.UNSETTLED else None
    if lease is None:
        return
    outcome = _adapter(payment).settle(payment.attempt)
    with transaction.atomic():
        payment = Payment.objects.locked().get(pk=payment.pk)
        payment.end_lease(lease)
        if payment.status != Payment.Status.UNSETTLED:
            return
        if outcome.kind is Kind.PAID:
            payment.settle(outcome.code)
        else:
            log.warning("payment %s: not settled: %s", payment.pk, outcome.code)
            payment.keep_asking(outcome.code)
    _note_failure(payment.gateway, outcome.kind, outcome.code)


# --- what callbacks lost ----------------------------------------------------------------------------------------------


def reconcile() -> dict[str, int]:
    """Look again at every attempt that is due. Answers how many stand in which status after it."""
    found = [look_again(payment=payment) for payment in Payment.objects.to_check()]
    return dict(Counter(found))


def look_again(*, payment: Payment) -> str:
    """Finish one attempt that nobody came back from or whose bank did not answer; its status after that."""
    from .refunds import reverse_money

    if payment.is_unanswered:
        verify(payment=payment)
    elif payment.status == Payment.Status.NEW:
        with transaction.atomic():
            payment = Payment.objects.locked().get(pk=payment.pk)
            # Before its time, another process may be asking the bank for its token.
            if payment.status == Payment.Status.NEW and payment.is_due:
                payment.expire(Note.NEVER_LEFT)
    elif payment.status in (Payment.Status.SENT, Payment.Status.CANCELLED):
        _ask_where_it_is(payment)
    elif payment.status == Payment.Status.UNSETTLED:
        settle(payment=payment)
    elif payment.status == Payment.Status.REVERSING:
        reverse_money(payment=payment)
    payment.refresh_from_db()
    return payment.status


def _ask_where_it_is(payment: Payment) -> None:
    """The bank's own question where it has one; else, where the token is enough, verify itself."""
    adapter = _adapter(payment)
    outcome = adapter.inquire(payment.attempt)
    with transaction.atomic(durable=True):
        payment = Payment.objects.locked().get(pk=payment.pk)
        if payment.status not in (Payment.Status.SENT, Payment.Status.CANCELLED):
            return
        wanted = payment.amount <= payment.invoice.due
        paid = outcome is not None and outcome.kind in (Kind.PAID, Kind.ALREADY)
        silent = outcome is not None and outcome.kind in (Kind.NO_ANSWER, Kind.MISCONFIGURED)
        given_up = payment.now > payment.created_at + LATE_FOR
        take = paid or (outcome is None and adapter.verifies_by_token and not payment.is_past_deadline)
        if take and wanted:
            payment.start_verifying(None, within=adapter.verify_within, note=Note.ASKED_BY_US)
        elif take:
            payment.decline(Note.NOT_PAYABLE)
        elif outcome is not None and outcome.kind is Kind.MISMATCH:
            payment.suspect(Note.OTHER_AMOUNT, outcome.code)
        elif outcome is not None and outcome.kind is Kind.GIVEN_BACK:
            payment.fail(outcome.code, Note.GIVEN_BACK)
        elif not payment.is_past_deadline or (silent and not given_up):
            payment.ask_later()  # until then the payer may still pay, whatever was said before
        elif outcome is not None and outcome.kind is Kind.NOT_PAID:
            payment.fail(outcome.code)
        else:
            payment.expire(Note.NO_RETURN)
    if take and wanted:
        verify(payment=payment)


def forget_tokens() -> int:
    """Blank the banks' tokens of attempts that are over for a day. Answers how many."""
    rows = list(Payment.objects.forgettable())
    for payment in rows:
        payment.forget_token()
    return len(rows)


def _adapter(payment: Payment) -> gateways.Gateway:
    return gateways.gateway(payment.gateway)


def receive_by_file(payment: Payment, outcome: Outcome) -> None:
    """Money that the bank's own file names, on the locked row. It is transferred, so nothing is left to settle."""
    _receive(payment, outcome)
    if payment.status == Payment.Status.UNSETTLED:
        payment.settle(outcome.code)
