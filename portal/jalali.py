"""How dates, digits and money are written for a reader of Persian or of English."""

from datetime import date, datetime
from functools import lru_cache

import jdatetime
from django.utils import timezone

LATIN, PERSIAN, ARABIC = "0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩"
TO_PERSIAN = str.maketrans(LATIN + ARABIC, PERSIAN * 2)
TO_LATIN = str.maketrans(PERSIAN + ARABIC, LATIN * 2)

# Monday first, as date.weekday() counts.
WEEKDAYS = {
    "fa": ("دوشنبه", "سه‌شنبه", "چهارشنبه", "پنجشنبه", "جمعه", "شنبه", "یکشنبه"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
MONTHS = {
    "fa": ("فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند"),
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}
# Rials in Persian carry U+066C between thousands; the mark before a minus keeps it on the number's left in RTL text.
SEPARATOR = {"fa": "٬", "en": ","}
MINUS = {"fa": "\u200e−", "en": "−"}
TOMAN = {"fa": "تومان", "en": "Toman"}
RIAL = {"fa": "ریال", "en": "Rial"}


def _tongue(language: str) -> str:
    return "fa" if language.startswith("fa") else "en"


def digits(value: object, language: str) -> str:
    """The same text with the digits of that language, whichever digits came in."""
    return str(value).translate(TO_PERSIAN if _tongue(language) == "fa" else TO_LATIN)


def local_date(value: date) -> date:
    """A day as it is; a moment as the day it falls on here, which after 20:30 UTC is the next."""
    return timezone.localtime(value).date() if isinstance(value, datetime) else value


@lru_cache(maxsize=4096)  # a page names the same few days again and again, and each costs 70 µs
def day(value: date, language: str) -> str:
    """«دوشنبه ۲ آذر ۱۴۰۵» or "Monday 23 November 2026"."""
    tongue, here = _tongue(language), local_date(value)
    shown = jdatetime.date.fromgregorian(date=here) if tongue == "fa" else here
    return digits(
        f"{WEEKDAYS[tongue][here.weekday()]} {shown.day} {MONTHS[tongue][shown.month - 1]} {shown.year}", tongue
    )


def short_day(value: date) -> str:
    """1405/09/02, in Latin digits: for marks and forms."""
    return str(jdatetime.date.fromgregorian(date=local_date(value)).strftime("%Y/%m/%d"))


def month(value: date, language: str) -> tuple[date, date, str]:
    """The month of a day in the reader's calendar: its first day, the next one's, and its name and year."""
    tongue, here = _tongue(language), local_date(value)
    shown = jdatetime.date.fromgregorian(date=here) if tongue == "fa" else here
    ends = (shown.year, shown.month, 1), (shown.year + shown.month // 12, shown.month % 12 + 1, 1)
    first, after = (jdatetime.date(*end).togregorian() if tongue == "fa" else date(*end) for end in ends)
    return first, after, digits(f"{MONTHS[tongue][shown.month - 1]} {shown.year}", tongue)


@lru_cache(maxsize=4096)
def moment(value: datetime, language: str) -> str:
    """«دوشنبه ۲ آذر ۱۴۰۵ ساعت ۱۳:۲۰» or "Monday 23 November 2026, 13:20", by the clock of the portal's time zone."""
    clock = f"{timezone.localtime(value):%H:%M}"
    if _tongue(language) == "fa":
        return f"{day(value, 'fa')} ساعت {digits(clock, 'fa')}"
    return f"{day(value, 'en')}, {clock}"


def amount(number: int, language: str) -> str:
    """A whole number with its thousands parted."""
    # A float has already lost Rials before it comes here, so it is a fault of the caller and not rounded away.
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError(f"money is a whole number of Rials, not {type(number).__name__}")
    tongue = _tongue(language)
    written = digits(f"{abs(number):,}".replace(",", SEPARATOR[tongue]), tongue)
    return f"{MINUS[tongue] if number < 0 else ''}{written}"


def rial(rials: int, language: str) -> str:
    """Money on documents: «۱۲۰٬۰۰۰ ریال» or "120,000 Rial"."""
    return f"{amount(rials, language)} {RIAL[_tongue(language)]}"


def toman(rials: int, language: str) -> str:
    """Money for people: a tenth of the Rials, or the Rials themselves where a tenth would not be whole."""
    if rials % 10:
        return rial(rials, language)
    # Floor division is exact here for negative amounts too: nothing is left over.
    return f"{amount(rials // 10, language)} {TOMAN[_tongue(language)]}"
