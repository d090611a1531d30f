"""Whole Rials: tax, and the calendar by which a month is paid."""

from datetime import date

import jdatetime


def tax_of(subtotal: int, hundredths: int) -> int:
    """Tax on a whole amount of Rials, at a rate in hundredths of a percent (1000 is 10 %).

    Taken once on the document's subtotal, and a half Rial is rounded up: the sum of separately rounded lines could
    differ from the rate by a Rial a line.
    """
    return (subtotal * hundredths + 5_000) // 10_000


def month_later(day: date) -> date:
    """The same day of the next Jalali month, or its last day where that month is shorter."""
    start = jdatetime.date.fromgregorian(date=day)
    year, month = (start.year + 1, 1) if start.month == 12 else (start.year, start.month + 1)
    for day_of_month in range(start.day, 28, -1):
        try:
            return _gregorian(year, month, day_of_month)
        except ValueError:
            continue
    return _gregorian(year, month, min(start.day, 28))


def _gregorian(year: int, month: int, day: int) -> date:
    found: date = jdatetime.date(year, month, day).togregorian()
    return found


def jalali_year(day: date) -> int:
    return int(jdatetime.date.fromgregorian(date=day).year)
