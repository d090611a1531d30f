"""Give money back: by the gateway's own call where it has one, else by two people at the bank."""

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import Customer
from billing import gateways
from billing.models import ForbiddenMove, LedgerEntry, Payment, Refund

from .answers import can_reverse, has_arrived, reverse_money, tell_given_back, tell_of
from .orders import link


class CannotGiveBack(Exception):
    """In the reader's words: why the money stays where it is."""


# --- by the gateway ---------------------------------------------------------------------------------------------------


def give_back(*, payment: Payment) -> bool:
    """Have the gateway give a whole payment back to its card; False where it cannot.

    The money must be applied to no invoice: it leaves the customer's credit before the bank is asked.
    """
    with transaction.atomic(durable=True):
        payment = Payment.objects.locked("invoice__customer").get(pk=payment.pk)
        if payment.status not in (Payment.Status.UNAPPLIED, Payment.Status.PAID) or not can_reverse(payment):
            return False
        if payment.status == Payment.Status.PAID:
            _lock_credit(payment)
            whole = payment.taken or 0
            if refundable(payment) < whole:
                return False
            _take_from_credit(payment, whole)
        payment.start_reversing()
    reverse_money(payment=payment)
    return True


# --- the inbox: money taken, not applied ------------------------------------------------------------------------------


def keep_as_credit(*, payment: Payment) -> bool:
    """Money that no invoice needed becomes the customer's credit. False when that was done already."""
    with transaction.atomic():
        payment = Payment.objects.locked("invoice__customer").get(pk=payment.pk)
        if payment.is_received:
            return False
        if payment.status != Payment.Status.UNAPPLIED:
            raise ForbiddenMove(f"payment {payment.pk}: nothing of it was taken, or it is not known whether")
        amount = payment.taken or 0
        arrived = has_arrived(payment)
        settles = payment.gateway in settings.GATEWAY and gateways.gateway(payment.gateway).settles and not arrived
        payment.keep_as_credit(settles=settles)
        # What had arrived before was taken from the credit when it was to be given back.
        kind = LedgerEntry.Kind.REFUND if arrived else LedgerEntry.Kind.CREDIT
        LedgerEntry.objects.create(customer=payment.invoice.customer, payment=payment, kind=kind, amount=amount)
        tell_of(payment, "credit_added", {"number": payment.invoice.number, "amount": amount} | link(payment.invoice))
        return True


def dismiss(*, payment: Payment) -> bool:
    """A person has looked at a suspect attempt: nothing was taken for us, and the bank gives back what it holds."""
    with transaction.atomic():
        return Payment.objects.locked().get(pk=payment.pk).dismiss()


# --- by two people at the bank ----------------------------------------------------------------------------------------


def refundable(payment: Payment) -> int:
    """Rials of a received payment that lie in the customer's credit, and were not given back. Under the row's lock."""
    if not payment.is_received:
        return 0
    back = payment.ledger.filter(kind=LedgerEntry.Kind.REFUND).aggregate(sum=Sum("amount"))["sum"] or 0
    credit = LedgerEntry.objects.filter(customer=payment.invoice.customer_id).credit().total()
    return max(min((payment.taken or 0) + back, credit), 0)


def ask_for_refund(*, payment: Payment, amount: int, why: str, by: Customer) -> Refund:
    """The first of two people. The amount leaves the credit at once, so that it cannot be spent meanwhile."""
    with transaction.atomic():
        payment = Payment.objects.locked("invoice__customer").get(pk=payment.pk)
        _lock_credit(payment)
        if not 0 < amount <= refundable(payment):
            raise CannotGiveBack(_("So much of this payment is not in the customer's credit."))
        _take_from_credit(payment, amount)
        refund = Refund.objects.create(payment=payment, amount=amount, why=why, asked_by=by)
        refund.events.create(now=refund.status)
        return refund


def agree_to_refund(*, refund: Refund, by: Customer) -> bool:
    """The second of two people. False when it was agreed to already."""
    with transaction.atomic():
        refund = _locked(refund)
        _refuse_the_same(refund, by)
        return refund.agree(by)


def refuse_refund(*, refund: Refund, by: Customer) -> bool:
    """The second of two people says no: the amount is the customer's credit again."""
    with transaction.atomic():
        refund = _locked(refund)
        _refuse_the_same(refund, by)
        if not refund.refuse(by):
            return False
        _take_from_credit(refund.payment, -refund.amount)
        return True


def finish_refund(*, refund: Refund, bank_reference: str) -> bool:
    """It was done at the bank, under this number. False when that was written down already."""
    with transaction.atomic():
        refund = _locked(refund)
        if not refund.finish(bank_reference):
            return False
        tell_given_back(refund.payment, refund.amount, key=f"refund:{refund.pk}")
        return True


def _refuse_the_same(refund: Refund, by: Customer) -> None:
    if refund.asked_by_id == by.pk:
        raise CannotGiveBack(_("Who asked for a refund cannot decide on it. Please let a colleague do so."))


def _lock_credit(payment: Payment) -> None:
    """After the payment's own lock: nobody else spends or gives back of this customer's credit meanwhile."""
    Customer.objects.select_for_update(no_key=True).get(pk=payment.invoice.customer_id)


def _take_from_credit(payment: Payment, amount: int) -> None:
    """Out of the credit; a negative amount comes back to it."""
    LedgerEntry.objects.create(
        customer_id=payment.invoice.customer_id, payment=payment, kind=LedgerEntry.Kind.REFUND, amount=-amount
    )


def _locked(refund: Refund) -> Refund:
    rows = Refund.objects.select_related("payment__invoice__customer")
    return rows.select_for_update(of=("self",)).get(pk=refund.pk)
