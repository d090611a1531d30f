"""Made-up values to look at a message's words with: usual, long, empty, and of mixed directions."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from notifications.catalogue import Message
from notifications.messages import written
from notifications.placeholders import Kind

FLAVOURS = {
    "usual": _("Usual values"),
    "long": _("Long values"),
    "empty": _("Empty and smallest values"),
    "mixed": _("Values of mixed directions, and what a customer may try"),
}
_TEXT = {"fa": "میزبانی لینوکس تهران", "en": "Linux hosting in Tehran"}
_LONG = {language: " ".join([words] * 8) for language, words in _TEXT.items()}
_MIXED = '\u202eسرور web-01\u202c (تهران <b>"A&B"</b>)\r\nBcc: {{ code }} {% if %} میزبانی‌ها 👍🏽'
# In the order of FLAVOURS.
VALUES: dict[Kind, tuple[Any, ...]] = {
    Kind.MONEY: (1_320_000, 987_654_321_098_760, 0, 1_234_567),
    Kind.NUMBER: ("1405-000012", "1405-999999999", "1", "10001"),
    Kind.COUNT: (3, 12_000, 0, 1),
    Kind.RECEIPT: ("740012345678", "ABCDEF1234567890ABCDEF1234567890", "1", "IR-98/A_7"),
    Kind.DAY: ("2026-12-01", "2027-09-22", "2026-03-21", "2026-12-23T20:30:00+00:00"),
    Kind.MOMENT: tuple(f"{day}+00:00" for day in ("2026-11-23T10:00", "2027-09-22T08:59", "2026-03-20T20:30") * 2),
    Kind.CODE: ("482913", "0123456789", "0", "000000"),
    Kind.URL: ("invoices/1405-000012/", f"accounts/confirm-email/{'Mk1x' * 30}/", "", "catalogue/?a=1&b=%D8%AA"),
    Kind.TEXT: (_TEXT, _LONG, "", _MIXED),
    Kind.LINES: ({tongue: f"{words}\n{words}" for tongue, words in _TEXT.items()}, _LONG, "", f"{_MIXED}\n{_MIXED}"),
}


def values(kind: Message, language: str, flavour: str) -> dict[str, str]:
    """For each placeholder of the message, as its reader would read it."""
    n = list(FLAVOURS).index(flavour)
    return {name: written(kind, name, _value(kind, name, n), language) for name in kind.placeholders}


def _value(kind: Message, name: str, n: int) -> Any:
    typed = kind.placeholders[name]
    if typed == Kind.CHOICE:
        choices = list(kind.phrases[name])
        return choices[n % len(choices)]
    value = VALUES[typed][n]
    return f"{settings.SITE_URL}/{value}" if typed == Kind.URL else value
