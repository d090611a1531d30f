"""What a call to Kavenegar may hold, and the document's code for what it may not."""

import json
import re
from collections.abc import Mapping

from .texts import utf16_length

MOBILE = re.compile(r"(?:\+98|0098|98|0)?9[0-9]{9}")
LANDLINE = re.compile(r"(?:\+98|0098|98|0)[1-8][0-9]{9}")
LINE = re.compile(r"[0-9]{3,20}")
DEFAULT_LINE = "10004346"
RECEPTORS_AT_MOST, IDS_AT_MOST, CHARACTERS_AT_MOST, TOKEN_AT_MOST = 200, 500, 900, 100
# How many blanks a lookup token may hold; none of them a new line or an underscore.
TOKENS = {"token": 0, "token2": 0, "token3": 0, "token10": 5, "token20": 8}


class Refused(Exception):
    """A `return.status` other than 200."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


def needed(fields: Mapping[str, str], name: str) -> str:
    if name not in fields:
        raise Refused(400)
    if not fields[name].strip():
        raise Refused(413 if name == "message" else 406)
    return fields[name]


def many(text: str, at_most: int) -> list[str]:
    values = [value.strip() for value in text.split(",")]
    if len(values) > at_most:
        raise Refused(414)
    return values


def ids_of(text: str) -> list[int]:
    values = many(text, IDS_AT_MOST)
    if not all(re.fullmatch(r"[0-9]{1,18}", value) for value in values):
        raise Refused(400)
    return [int(value) for value in values]


def localids_of(text: str | None, count: int) -> list[int] | list[None]:
    if not text:
        return [None] * count
    values = ids_of(text)
    if len(values) != count:
        raise Refused(419)
    return values


def array_of(text: str) -> list[str]:
    """A JSON array sent as one form field."""
    try:
        values = json.loads(text)
    except ValueError:
        raise Refused(400) from None
    if not isinstance(values, list) or not values:
        raise Refused(400)
    return [str(value) for value in values]


def receptor_of(text: str) -> str:
    if not MOBILE.fullmatch(text):
        raise Refused(411)
    return text


def message_of(text: str) -> str:
    if utf16_length(text) > CHARACTERS_AT_MOST:
        raise Refused(413)
    return text


def line_of(text: str | None) -> str:
    if text and not LINE.fullmatch(text):
        raise Refused(412)
    return text or DEFAULT_LINE


def starts_at_of(fields: Mapping[str, str]) -> float:
    """When it shall go; a `tag` is refused on the way, for this account has none."""
    if fields.get("tag"):
        raise Refused(607)
    text = fields.get("date")
    if text and not re.fullmatch(r"[0-9]{1,11}", text):
        raise Refused(417)
    return float(text or 0)


def token_is_good(value: str, blanks: int) -> bool:
    return len(value) <= TOKEN_AT_MOST and value.count(" ") <= blanks and not re.search(r"[\r\n\t_]", value)
