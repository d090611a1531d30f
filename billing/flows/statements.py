"""Compare our books with the bank's daily file; and where the bank never answered, let its file decide."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import IntegrityError, models, transaction
from django.db.models import Func, Value
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Customer
from billing.gateways import Kind, Outcome
from billing.models import Payment, Refund, Statement, StatementLine
from billing.settlement_file import BadStatement, Row, read

from .answers import follow_up, receive

BY_FILE = "bank-file"  # the code of a step that a file made, beside the banks' own codes (billing/gateways)
WAYS_BACK = (StatementLine.Kind.REVERSAL, StatementLine.Kind.REFUND)


class CannotBook(Exception):
    """In the reader's words: why a payment cannot be booked by the bank's file."""


# --- importing it -----------------------------------------------------------------------------------------------------


def import_statement(*, gateway: str, day: date, content: bytes, by: Customer | None = None) -> Statement:
    """Keep what the file of that day (of Tehran) says. The same file again is the same import. Raises BadStatement."""
    if gateway not in settings.GATEWAY:
        raise BadStatement([_("This gateway is not configured.")])
    sha256 = hashlib.sha256(content).hexdigest()
    known = Statement.objects.same(gateway, day, sha256)
    if statement := known.first():
        return statement
    rows = read(content)
    statement = Statement(gateway=gateway, day=day, sha256=sha256, rows=len(rows), imported_by=by)
    _refuse_another_day(statement, rows)
    lines = [StatementLine(statement=statement, **row._asdict()) for row in rows]
    _judge(statement, lines)
    statement.counts = _counts(lines)
    try:
        with transaction.atomic():
            statement.save()
            StatementLine.objects.bulk_create(lines, batch_size=10_000)
    except IntegrityError:
        if again := known.first():
            return again
        raise BadStatement([_("This file was imported for another day already.")]) from None
    return statement


def _refuse_another_day(statement: Statement, rows: list[Row]) -> None:
    """Around midnight a bank counts a payment to the other day; but a file without one of its own day is another's."""
    start, end = statement.span
    if rows and not any(start <= row.bank_time < end for row in rows):
        raise BadStatement([_("No line of this file is of this day.")])


# --- comparing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Report:
    """A file beside our books as they stand now. Sums are Rials; what was given back counts below zero."""

    statement: Statement
    lines: list[StatementLine]
    ours_alone: list[Payment]

    @property
    def differences(self) -> list[StatementLine]:
        return [line for line in self.lines if not line.is_fit]

    @property
    def fitting(self) -> list[StatementLine]:
        return [line for line in self.lines if line.is_fit]

    @property
    def theirs(self) -> int:
        return sum(line.signed for line in self.lines)

    @property
    def ours(self) -> int:
        return sum(line.ours for line in self.lines) + sum(payment.taken or 0 for payment in self.ours_alone)

    @property
    def difference(self) -> int:
        """Rials that the bank has more than we. Opposite faults may cancel out, so nothing is not yet a match."""
        return self.theirs - self.ours

    @property
    def other_days(self) -> int:
        """How many lines are not of the file's day by the bank's own clock."""
        start, end = self.statement.span
        return sum(not start <= line.bank_time < end for line in self.lines)

    @property
    def fits(self) -> bool:
        return not self.ours_alone and all(line.is_fit for line in self.lines)


def compare(*, statement: Statement) -> Report:
    """Judge every line anew, write nothing."""
    lines = list(statement.lines.all())
    _judge(statement, lines)
    return Report(statement, lines, list(statement.ours_alone()))


def compare_again(*, statement: Statement) -> Report:
    """The report, and its findings kept for the list of files."""
    was = {pk: (finding, payment) for pk, finding, payment in statement.lines.values_list("pk", "finding", "payment")}
    found = compare(statement=statement)
    changed = [line for line in found.lines if was.get(line.pk) != (line.finding, line.payment_id)]
    with transaction.atomic():
        StatementLine.objects.bulk_update(changed, ["finding", "payment"], batch_size=1_000)
        statement.counts, statement.compared_at = _counts(found.lines), timezone.now()
        statement.save(update_fields=["counts", "compared_at"])
    return found


def _counts(lines: Iterable[StatementLine]) -> dict[str, int]:
    return dict(Counter(str(line.finding) for line in lines))


def _judge(statement: Statement, lines: Collection[StatementLine]) -> None:
    """All lines at once: as many questions to the database for a hundred thousand as for one."""
    # What a report shows and a judgement needs; the times alone would double what a large file takes.
    told = ("gateway", "receipt", "order_number", "amount", "taken", "status")
    payments = Payment.objects.filter(gateway=statement.gateway).order_by().only(*told)
    receipts = [line.receipt for line in lines]
    by_receipt = {payment.receipt: payment for payment in payments.filter(_any_of("receipt", receipts))}
    rest = {line.order_number for line in lines if line.receipt not in by_receipt}
    orders = [int(order) for order in rest if re.fullmatch("[0-9]{1,18}", order)]
    by_order = {str(payment.order_number): payment for payment in payments.filter(_any_of("order_number", orders))}
    gone_back = _gone_back(statement, lines, receipts)
    named = [(line, by_receipt.get(line.receipt) or by_order.get(line.order_number)) for line in lines]
    refunds = _refunds(payment.pk for line, payment in named if payment and line.kind in WAYS_BACK)
    for line, payment in named:
        line.judge(payment, gone_back=gone_back[line.receipt], refunds=refunds[payment.pk] if payment else [])


def _gone_back(statement: Statement, lines: Iterable[StatementLine], receipts: list[str]) -> dict[str, int]:
    """Receipt → Rials that went back by this file or another one of the gateway."""
    others = StatementLine.objects.filter(
        _any_of("receipt", receipts), statement__gateway=statement.gateway, kind__in=WAYS_BACK
    )
    # A file that came again corrected says the same thing twice.
    moves = {*others.order_by().values_list("receipt", "kind", "amount", "bank_time")}
    moves |= {(line.receipt, line.kind, line.amount, line.bank_time) for line in lines if line.kind in WAYS_BACK}
    found: dict[str, int] = defaultdict(int)
    for receipt, _kind, amount, _at in moves:
        found[receipt] += amount
    return found


def _refunds(payments: Iterable[int]) -> dict[int, list[int]]:
    """Payment → Rials of each refund that people finished at the bank."""
    done = Refund.objects.filter(_any_of("payment_id", sorted({*payments})), status=Refund.Status.DONE)
    found: dict[int, list[int]] = defaultdict(list)
    for payment, amount in done.values_list("payment", "amount"):
        found[payment].append(amount)
    return found


class _IsAnyOf(Func):
    """One array instead of a parameter each: an IN of a hundred thousand is slow to write and to read."""

    template, arg_joiner = "(%(expressions)s))", " = ANY("
    output_field = models.BooleanField()


def _any_of(field: str, values: list[Any]) -> _IsAnyOf:
    kind: models.Field = models.CharField() if field == "receipt" else models.BigIntegerField()
    return _IsAnyOf(field, Value(values, output_field=ArrayField(kind)))


# --- booking by it ----------------------------------------------------------------------------------------------------


def book_by_statement(*, line: StatementLine, by: Customer) -> bool:
    """Receive what the bank never answered about, because its own file has it. The second of two people.

    False when the money was received already. Raises CannotBook.
    """
    with transaction.atomic(durable=True):
        rows = StatementLine.objects.select_related("statement").select_for_update(of=("self",))
        line = rows.get(pk=line.pk)
        _refuse_the_importer(line, by)
        payment = _locked_payment(line)
        if payment.is_received:
            return False
        _refuse_what_does_not_fit(line, payment)
        receive(payment, Outcome(Kind.PAID, BY_FILE, line.receipt, "", line.bank_time))
        line.booked_by, line.booked_at = by, timezone.now()
        line.save(update_fields=["booked_by", "booked_at"])
    # As after verify: money that is transferred only when the bank is told so (what is transferred already is said to
    # be so), and money whose invoice was paid otherwise meanwhile, which goes back where the gateway can.
    follow_up(payment=payment)
    compare_again(statement=line.statement)
    return True


def _refuse_the_importer(line: StatementLine, by: Customer) -> None:
    if line.statement.imported_by_id == by.pk:
        raise CannotBook(_("Who imported a file cannot book by it. Please let a colleague do so."))


def _locked_payment(line: StatementLine) -> Payment:
    if line.kind != StatementLine.Kind.SALE:
        raise CannotBook(_("Only a sale can be booked."))
    if line.statement.gateway not in settings.GATEWAY:
        raise CannotBook(_("This gateway is not configured."))
    rows = Payment.objects.locked("invoice__customer", "invoice__order__service")
    payment = rows.filter(gateway=line.statement.gateway, receipt=line.receipt).first()
    if payment is None:
        raise CannotBook(_("No payment of ours has this receipt."))
    return payment


def _refuse_what_does_not_fit(line: StatementLine, payment: Payment) -> None:
    if payment.status != Payment.Status.UNKNOWN:
        words = _("Only a payment that the bank never answered about can be booked. This one stands at: %(status)s.")
        raise CannotBook(words % {"status": payment.get_status_display()})
    if not line.names(payment):
        raise CannotBook(_("Receipt and order number belong to different payments."))
    if line.amount != payment.amount:
        raise CannotBook(_("The amount in the file is not that of the payment."))
    back = StatementLine.objects.filter(statement__gateway=payment.gateway, receipt=line.receipt, kind__in=WAYS_BACK)
    if back.exists():
        raise CannotBook(_("By the bank's file this money went back to the customer."))
