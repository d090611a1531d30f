"""What stands in a message's words for its values: typed, cleaned, put in by a renderer that can do nothing else."""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from enum import Enum
from typing import Any

from portal import jalali

# The mark keeps a number that follows Persian words from being shown back to front (Unicode bidi rule W2).
LEFT_TO_RIGHT = "\u200e"
# They turn, split or hide what stands around them. ZWNJ and ZWJ (U+200C, U+200D) are letters' own in Persian and emoji.
INVISIBLE = "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
NOT_TEXT = re.compile(rf"[\x00-\x1f\x7f-\x9f\u2028\u2029{INVISIBLE}\U000e0000-\U000e007f]")
NAME = re.compile(r"\{\{ *([a-z_]+) *\}\}")
LEFT_OVER = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")


class Kind(Enum):
    """What a value is, and so how it is written."""

    MONEY = "money"  # whole Rials, written in Toman
    NUMBER = "number"  # of an invoice, a ticket or a version
    COUNT = "count"  # how many
    RECEIPT = "receipt"  # typed into a bank's page again, so its digits stay Latin
    DAY = "day"
    MOMENT = "moment"
    CODE = "code"
    URL = "url"
    TEXT = "text"  # what people typed, or a text per language; one line
    LINES = "lines"  # several of them
    CHOICE = "choice"  # one of the message's own phrases


NEEDED = (Kind.CODE, Kind.URL)  # a message that has one is of no use without it


class Unfit(Exception):
    """A message cannot go out as it is. The text names the placeholder, never its value."""


class Count(str):
    """A number as it is read, of which the release's words may ask whether it is none or one."""

    def __new__(cls, number: int, language: str) -> "Count":
        count = super().__new__(cls, jalali.digits(number, language))
        count.number = number
        return count

    number: int

    def __bool__(self) -> bool:
        return self.number != 0

    @property
    def is_one(self) -> bool:
        return self.number == 1


def clean(text: str) -> str:
    """One line of what somebody typed, which cannot turn, hide or part the words around it."""
    return " ".join(NOT_TEXT.sub(" ", unicodedata.normalize("NFC", text)).split())


def written(name: str, kind: Kind, value: Any, language: str) -> str:
    """The value as this language writes it."""
    try:
        return _WRITERS[kind](value, language)
    except (TypeError, ValueError):
        raise Unfit(f"{name}: not a {kind.value}") from None


def _number(value: Any, language: str) -> str:
    is_plain = value.isdecimal() if isinstance(value, str) else isinstance(value, int) and not isinstance(value, bool)
    return jalali.digits(value, language) if is_plain else _receipt(value, language)


def _receipt(value: Any, language: str) -> str:
    return f"{LEFT_TO_RIGHT if language == 'fa' else ''}{_word(value, language)}"


def _day(value: Any, language: str) -> str:
    is_day = len(value) == len("2026-11-23")
    return jalali.day(dt.date.fromisoformat(value) if is_day else dt.datetime.fromisoformat(value), language)


def _moment(value: Any, language: str) -> str:
    return jalali.moment(dt.datetime.fromisoformat(value), language)


def _word(value: Any, language: str) -> str:
    if not isinstance(value, str) or NOT_TEXT.search(value) or any(map(str.isspace, value)):
        raise ValueError
    return value


def _url(value: Any, language: str) -> str:
    if not _word(value, language).startswith(("https://", "http://")):
        raise ValueError
    return str(value)


def _text(value: Any, language: str) -> str:
    return clean(_said(value, language))


def _lines(value: Any, language: str) -> str:
    return "\n".join(filter(None, map(clean, _said(value, language).splitlines())))


def _said(value: Any, language: str) -> str:
    words = value[language] if isinstance(value, Mapping) and language in value else value
    if not isinstance(words, str):
        raise TypeError
    return words


def _count(value: Any, language: str) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return Count(value, language)


_WRITERS = {
    Kind.MONEY: jalali.toman,
    Kind.NUMBER: _number,
    Kind.RECEIPT: _receipt,
    Kind.DAY: _day,
    Kind.MOMENT: _moment,
    Kind.CODE: _word,
    Kind.URL: _url,
    Kind.TEXT: _text,
    Kind.LINES: _lines,
    Kind.COUNT: _count,
    Kind.CHOICE: _word,
}


def names(source: str) -> set[str]:
    return set(NAME.findall(source))


def fill(source: str, values: Mapping[str, str]) -> str:
    """The words with their values. No tag, filter or attribute exists here, and a value is never read as words."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise Unfit(match[1])
        return "–" if values[match[1]] == "" else values[match[1]]

    if LEFT_OVER.search(NAME.sub("", source)):
        raise Unfit("something in braces is no placeholder")
    return NAME.sub(value, source)
