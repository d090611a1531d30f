"""Come back from the bank, and be believed only when the bank says so; and what the bank must hear of it."""

import logging
from collections import Counter
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from billing import gateways
from billing.gateways import Kind, Outcome, Returned
from billing.models import GatewayAccount, LedgerEntry, Payment, PaymentEvent
from billing.models.payments import LATE_FOR
from notifications.flows import tell

from .orders import link, settle_invoice

log = logging.getLogger(__name__)
Note = PaymentEvent.Note


# --- the callback ----------------------------------------------------------------------------------------------------


def receive_callback(*, payment: Payment, returned: Returned) -> None:
    """What a browser brings from the bank is a hint. It binds the receipt; only verify makes money of it."""
    with transaction.atomic(durable=True):
        payment = Payment.objects.locked().get(pk=payment.pk)
        begins = payment.status in Payment.OPEN
        lease = _lease(payment, wanted=begins) if _take_in(payment, returned) else None
    if lease:
        _ask(payment, lease)


def _take_in(payment: Payment, returned: Returned) -> bool:
    """Whether the bank is to be asked now."""
    adapter = gateways.gateway(payment.gateway)
    # What the bank was asked about, and answered oddly, is for people to look at.
    can_begin = payment.status in Payment.OPEN and not (payment.status == Payment.Status.SUSPECT and payment.tries)
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


def _lease(payment: Payment, *, wanted: bool = False) -> str | None:
    """The right to ask the bank now. `wanted`: it was just seen that this much is still due."""
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
        if not wanted and payment.amount > invoice.due:
            payment.decline(Note.NOT_PAYABLE)
            return None
    return payment.take_lease()


def _ask(payment: Payment, lease: str) -> None:
    adapter = gateways.gateway(payment.gateway)
    outcome = adapter.verify(payment.attempt)
    with transaction.atomic():
        payment = Payment.objects.locked("invoice__customer", "invoice__order__service").get(pk=payment.pk)
        # What comes after its time, when somebody else asks already, counts only where it cannot change any more.
        if payment.end_lease(lease) or outcome.kind is Kind.PAID:
            _write_down(payment, outcome)
    GatewayAccount.objects.note(payment.gateway, outcome.kind, outcome.code)
    follow_up(payment=payment)


def _write_down(payment: Payment, outcome: Outcome) -> None:
    if not payment.is_unanswered:
        return
    kind, code = outcome.kind, outcome.code
    if kind is Kind.ALREADY and payment.tries < 2:
        # Our first question: whoever confirmed it before, it was not this attempt.
        payment.suspect(Note.USED_BEFORE, code)
    elif kind in (Kind.PAID, Kind.ALREADY):
        receive(payment, outcome)
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


def receive(payment: Payment, outcome: Outcome) -> None:
    """The one place where money arrives: receipt, ledger, invoice, order and service in the caller's transaction."""
    invoice, customer = payment.invoice, payment.invoice.customer
    due = invoice.due
    if payment.amount > due:
        _set_aside(payment, outcome, Note.NOT_NEEDED, payment.amount)
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
    settle_invoice(invoice, customer, due=due - payment.amount)


def _set_aside(payment: Payment, outcome: Outcome, note: str, taken: int) -> None:
    """Money that the bank has taken, and that goes to no invoice. Nothing is credited by itself."""
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
    if can_reverse(payment):
        payment.start_reversing()
    else:
        tell_not_applied(payment)


def tell_not_applied(payment: Payment) -> None:
    context: dict[str, Any] = {"number": payment.invoice.number, "amount": payment.taken}
    tell_of(payment, "payment_not_applied", context | link(payment.invoice))


def tell_of(payment: Payment, message: str, context: dict[str, Any], key: str = "") -> None:
    """Once for each attempt and message; once for each key, where one is given."""
    about, key = f"invoice:{payment.invoice.number}", key or f"payment:{payment.order_number}"
    tell(payment.invoice.customer, message, about=about, context=context, key=f"{message}:{key}")


def tell_given_back(payment: Payment, amount: int, key: str = "") -> None:
    invoice = payment.invoice
    tell_of(payment, "payment_given_back", {"number": invoice.number, "amount": amount} | link(invoice), key)


# --- what the bank must hear again ------------------------------------------------------------------------------------


def follow_up(*, payment: Payment) -> None:
    """What the bank still has to hear is told at once; the sweep does it when this process ends before."""
    if payment.status == Payment.Status.UNSETTLED:
        settle(payment=payment)
    elif payment.status == Payment.Status.REVERSING:
        reverse_money(payment=payment)


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
        if not payment.end_lease(lease) or payment.status != Payment.Status.UNSETTLED:
            return
        if outcome.kind is Kind.PAID:
            payment.settle(outcome.code)
        else:
            log.warning("payment %s: not settled: %s", payment.pk, outcome.code)
            payment.keep_asking(outcome.code)
    GatewayAccount.objects.note(payment.gateway, outcome.kind, outcome.code)


def can_reverse(payment: Payment) -> bool:
    """Whether the gateway can still be asked to give the whole payment back to its card."""
    if payment.gateway not in settings.GATEWAY or payment.bank_time is None:
        return False
    adapter = gateways.gateway(payment.gateway)
    if adapter.reverses_within is None or (adapter.settles and payment.status == Payment.Status.PAID):
        return False
    return payment.now < payment.bank_time + adapter.reverses_within


def reverse_money(*, payment: Payment) -> None:
    """Ask the bank, outside any transaction, and write down what it says. May be repeated until an answer comes."""
    with transaction.atomic(durable=True):
        payment = Payment.objects.locked().get(pk=payment.pk)
        lease = payment.take_lease() if payment.status == Payment.Status.REVERSING else None
    if lease is None:
        return
    outcome = gateways.gateway(payment.gateway).reverse(payment.attempt)
    with transaction.atomic():
        payment = Payment.objects.locked("invoice__customer").get(pk=payment.pk)
        ours = payment.end_lease(lease) or outcome.kind is Kind.GIVEN_BACK
        if not ours or payment.status != Payment.Status.REVERSING:
            return
        if outcome.kind is Kind.GIVEN_BACK:
            payment.be_reversed(outcome.code)
            tell_given_back(payment, payment.taken or payment.amount)
        elif outcome.kind in (Kind.TOO_LATE, Kind.REFUSED):
            payment.not_reversed(outcome.code)
            if not has_arrived(payment):  # staff who tried it for a credit see it themselves
                tell_not_applied(payment)
        else:
            log.warning("payment %s: no answer to reverse: %s", payment.pk, outcome.code)
            payment.keep_asking(outcome.code)


def has_arrived(payment: Payment) -> bool:
    """Whether the ledger knew of this money before."""
    return payment.ledger.filter(kind__in=[LedgerEntry.Kind.PAYMENT, LedgerEntry.Kind.CREDIT]).exists()


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
            payment = Payment.objects.locked().get(pk=payment.pk)
            # Before its time, another process may be asking the bank for its token.
            if payment.status == Payment.Status.NEW and payment.is_due:
                payment.expire(Note.NEVER_LEFT)
    elif payment.status in (Payment.Status.SENT, Payment.Status.CANCELLED):
        _ask_where_it_is(payment)
    else:
        follow_up(payment=payment)
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
        kind, code = (outcome.kind, outcome.code) if outcome else (None, "")
        paid, silent = kind in (Kind.PAID, Kind.ALREADY), kind in (Kind.NO_ANSWER, Kind.MISCONFIGURED)
        given_up = payment.now > payment.created_at + LATE_FOR
        take = paid or (outcome is None and adapter.verifies_by_token and not payment.is_past_deadline)
        if take and wanted:
            payment.start_verifying(None, within=adapter.verify_within, note=Note.ASKED_BY_US)
        elif take:
            payment.decline(Note.NOT_PAYABLE)
        elif kind is Kind.MISMATCH:
            payment.suspect(Note.OTHER_AMOUNT, code)
        elif kind is Kind.GIVEN_BACK:
            payment.fail(code, Note.GIVEN_BACK)
        elif not payment.is_past_deadline or (silent and not given_up):
            payment.ask_later()  # until then the payer may still pay, whatever was said before
        elif kind is Kind.NOT_PAID:
            payment.fail(code)
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
