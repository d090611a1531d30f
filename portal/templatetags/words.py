"""Digits, days and money on a page, in the page's language."""

from datetime import date, datetime

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from portal import jalali

register = template.Library()


def language() -> str:
    # None while translations are switched off, as in a management command.
    return get_language() or str(settings.LANGUAGE_CODE)


@register.filter
def digits(value: object) -> str:
    """{{ 12|digits }}: the digits of the page's language."""
    return "" if value is None else jalali.digits(value, language())


@register.filter
def day(value: date | None) -> str:
    """{{ invoice.due_on|day }}: the weekday and the day, the ISO day in `datetime` for machines."""
    if not value:
        return ""
    return format_html(
        '<time datetime="{}">{}</time>', jalali.local_date(value).isoformat(), jalali.day(value, language())
    )


@register.filter
def moment(value: datetime | None) -> str:
    """{{ payment.paid_at|moment }}: the day and the clock."""
    if not value:
        return ""
    # To the second: HTML knows no microseconds in `datetime`.
    iso = timezone.localtime(value).isoformat(timespec="seconds")
    return format_html('<time datetime="{}">{}</time>', iso, jalali.moment(value, language()))


@register.filter
def seconds(value: float | None) -> str:
    """{{ lane.oldest|seconds }}: how long, in the unit that says it shortest."""
    if value is None:
        return "–"
    for size, words in ((3600, _("%(n)s h")), (60, _("%(n)s min"))):
        if value >= size:
            return words % {"n": jalali.digits(round(value / size), language())}
    return _("%(n)s s") % {"n": jalali.digits(round(value) if value >= 10 else round(value, 1), language())}


@register.filter
def toman(rials: int | None) -> str:
    """{{ invoice.total|toman }}: money for people."""
    return "" if rials is None else jalali.toman(rials, language())


@register.filter
def rial(rials: int | None) -> str:
    """{{ invoice.total|rial }}: money on documents."""
    return "" if rials is None else jalali.rial(rials, language())


@register.filter
def ltr(value: object) -> SafeString:
    """{{ receipt|ltr }}: an e-mail address, code or number that reads left to right in any text."""
    return format_html('<bdi dir="ltr">{}</bdi>', "" if value is None else value)
