"""A PSP's daily settlement file, read: which columns, how amounts and times may be written, what is refused."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

import jdatetime
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.models import StatementLine
from portal.jalali import TO_LATIN, digits
from portal.templatetags.words import language

MAX_BYTES, MAX_ROWS = 5 * 1024 * 1024, 100_000
COLUMNS = ("receipt", "order_number", "amount", "transaction_time", "kind")


class BadStatement(Exception):
    """Nothing was imported. `errors` say why, each in the reader's language; none of them quotes the file."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


class Row(NamedTuple):
    """What we take of one row; everything else in it, cards above all, ends here. Amount is whole Rials."""

    number: int  # of its line in the file
    receipt: str
    order_number: str
    amount: int
    bank_time: datetime
    kind: str


def read(content: bytes) -> list[Row]:
    """The rows of a settlement file: UTF-8, commas, a header that names COLUMNS in any order. Raises BadStatement."""
    if len(content) > MAX_BYTES:
        raise BadStatement([_("The file is larger than 5 MB.")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadStatement([_("The file is not text in UTF-8.")]) from None
    lines = _lines(csv.reader(io.StringIO(text, newline=""), strict=True))
    try:
        header = next(lines, (1, []))[1]
        places = _places(header)
        return _rows(lines, places, width=len(header))
    except csv.Error:
        raise BadStatement([_("The file is not a CSV file: a quotation mark is not closed.")]) from None


def _lines(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Each row with the number of the line on which it begins; a quoted cell may hold line ends."""
    start = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield start, cells
        start = reader.line_num + 1


def _places(header: list[str]) -> dict[str, int]:
    names = [name.strip().lower() for name in header]
    wrong = [column for column in COLUMNS if names.count(column) != 1]
    if wrong:
        words = _("The first line must name each of these columns once: %(columns)s. Missing or twice: %(wrong)s.")
        raise BadStatement([words % {"columns": ", ".join(COLUMNS), "wrong": ", ".join(wrong)}])
    return {column: names.index(column) for column in COLUMNS}


def _rows(lines: Iterable[tuple[int, list[str]]], places: dict[str, int], *, width: int) -> list[Row]:
    rows: list[Row] = []
    errors: list[str] = []
    first: dict[tuple[str, str], int] = {}
    for count, (number, cells) in enumerate(lines, start=1):
        if count > MAX_ROWS:
            raise BadStatement([_("The file has more than 100,000 lines.")])
        # With a cell too many or too few, a value may stand in another one's column.
        if len(cells) != width:
            errors.append(_on_line(number, _("it has not as many cells as the first line.")))
            continue
        row, wrong = _row(number, {column: cells[place].strip() for column, place in places.items()})
        errors += [_on_line(number, words) for words in wrong]
        if row and row.kind != StatementLine.Kind.REFUND:
            before = first.setdefault((row.receipt, row.kind), number)
            if before != number:
                words = _("receipt and kind are those of line %(line)s already.")
                errors.append(_on_line(number, words % {"line": digits(before, language())}))
        if row:
            rows.append(row)
    if errors:
        raise BadStatement(errors)
    return rows


def _row(number: int, cells: dict[str, str]) -> tuple[Row | None, list[str]]:
    receipt, order_number = (cells[name].translate(TO_LATIN) for name in ("receipt", "order_number"))
    amount, bank_time, kind = _amount(cells["amount"]), _time(cells["transaction_time"]), cells["kind"].lower()
    wrong = []
    if not receipt or len(receipt) > 64 or not receipt.isprintable():
        wrong.append(_("the receipt is missing or is none."))
    if len(order_number) > 64 or not order_number.isprintable():
        wrong.append(_("the order number is none."))
    if amount is None:
        wrong.append(_("the amount is not a whole number of Rials above zero."))
    if bank_time is None:
        wrong.append(_("the time is written neither 2026-11-27 14:05:00 nor 1405/09/06 14:05."))
    if kind not in StatementLine.Kind.values:
        wrong.append(_("the kind is none of sale, reversal and refund."))
    if wrong or amount is None or bank_time is None:
        return None, wrong
    return Row(number, receipt, order_number, amount, bank_time, kind), []


def _on_line(number: int, words: str) -> str:
    return _("Line %(line)s: %(words)s") % {"line": digits(number, language()), "words": words}


def _amount(text: str) -> int | None:
    """Whole Rials. Separators only where they part thousands: who writes 12.50 or 12,50 means something else."""
    plain = text.translate(TO_LATIN)
    if not re.fullmatch(r"[0-9]{1,15}|[0-9]{1,3}(?:[,٬،][0-9]{3}){1,4}", plain):
        return None
    return int(re.sub("[,٬،]", "", plain)) or None


def _time(text: str) -> datetime | None:
    """Tehran's clock, on a Jalali or a Gregorian day; which one is plain from the year."""
    clock = r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?"
    found = re.fullmatch(rf"([0-9]{{4}})([-/])([0-9]{{1,2}})\2([0-9]{{1,2}})[ T]+{clock}", text.translate(TO_LATIN))
    if not found:
        return None
    year, month, number, hour, minute, second = (int(part or 0) for part in found.group(1, 3, 4, 5, 6, 7))
    try:
        jalali = year < 1700
        day = jdatetime.date(year, month, number).togregorian() if jalali else date(year, month, number)
        moment = datetime(day.year, day.month, day.day, hour, minute, second)
    except ValueError:
        return None
    return timezone.make_aware(moment, timezone.get_default_timezone())
