"""The banks' doors: what each gateway's adapter answers, and the one way to call a bank.

Adapters take and give plain values and know no rows. What a callback or an answer carries beyond the white list, cards
above all, never reaches a name that lives.
"""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from importlib import import_module
from typing import Any, NamedTuple, Protocol

import requests
import urllib3
from django.conf import settings
from django.utils.translation import gettext_lazy as _

TIMEOUT = (3.05, 15)  # seconds to connect, and between two pieces of an answer
PATIENCE = 20  # seconds for the whole body
BIGGEST = 64 * 1024  # bytes of an answer


class Kind(Enum):
    """What a bank's answer means."""

    PAID = "paid"
    ALREADY = "already"  # verified by an earlier call whose answer was lost
    NOT_PAID = "not_paid"  # definite
    GIVEN_BACK = "given_back"  # definite: the money went back to the payer
    TOO_LATE = "too_late"  # the time to verify is over
    PENDING = "pending"  # the payer is still at the bank
    MISMATCH = "mismatch"  # paid, but another amount, receipt or terminal than ours
    NO_ANSWER = "no_answer"  # silence, an error page, half a body: nothing is known
    MISCONFIGURED = "misconfigured"  # our credentials or address are refused; says nothing of the money


class Outcome(NamedTuple):
    """`code` is the bank's own, or a word of ours for a missing answer. Times are aware."""

    kind: Kind
    code: str = ""
    receipt: str = ""
    trace: str = ""
    bank_time: datetime | None = None


class Start(NamedTuple):
    """How the browser leaves for the bank."""

    method: str
    url: str
    fields: dict[str, str]


class Returned(NamedTuple):
    """What we read of a callback. `ok` is a claim that only verify can confirm."""

    ok: bool
    code: str = ""
    order_number: str = ""
    token: str = ""
    receipt: str = ""
    terminal: str = ""


# Words of ours where the bank gave no code.
OUR_CODES: dict[str, Any] = {
    "timeout": _("The bank did not answer in time"),
    "unreachable": _("The bank could not be reached"),
    "not-json": _("The bank's answer could not be read"),
    "not-understood": _("The bank's answer could not be read"),
    "too-big": _("The bank's answer could not be read"),
    "http-500": _("The bank had an error of its own"),
    "http-502": _("The bank had an error of its own"),
    "http-503": _("The bank had an error of its own"),
    "http-504": _("The bank had an error of its own"),
}


class GatewayError(Exception):
    """The call gave nothing usable. `kind` is NO_ANSWER, NOT_PAID (refused) or MISCONFIGURED."""

    def __init__(self, kind: Kind, code: str) -> None:
        super().__init__(f"{kind.value} {code}")
        self.kind, self.code = kind, code


class Gateway(Protocol):
    """One bank. Amounts are whole Rials."""

    slug: str
    name: Any  # lazy text
    returns_by: str  # the method of the callback: POST or GET
    min_rial: int
    max_rial: int
    expires_in: timedelta  # how long a payer may stay at the bank
    verify_within: timedelta  # of the transaction
    codes: Mapping[str, Any]  # result code → lazy text
    browser_url: str

    def ask_token(self, *, amount: int, order_number: int, callback_url: str, description: str) -> str:
        """Open a payment at the bank. Never repeated by itself: raises GatewayError."""

    def leave(self, token: str) -> Start: ...

    def pick(self, params: Mapping[str, str]) -> Returned:
        """The white list of the callback's fields, each checked for its form; an odd one counts as missing."""

    def matches(self, returned: Returned, *, order_number: int, token: str | None) -> bool: ...

    def verify(self, *, amount: int, token: str | None, receipt: str | None) -> Outcome:
        """Take the money. May be repeated until an answer comes."""

    def inquire(self, *, token: str) -> Outcome | None:
        """What became of a payment that nobody came back from; None where the bank has no such question."""


def gateway(slug: str) -> Gateway:
    """The adapter of a configured gateway; KeyError when it is not configured."""
    account = settings.GATEWAY[slug]
    adapter: Gateway = import_module(f"{__name__}.{slug}").Adapter(**account)
    return adapter


def for_amount(amount: int) -> list[Gateway]:
    """The gateways that take this amount, in the order of the settings."""
    return [each for each in map(gateway, settings.GATEWAYS) if each.min_rial <= amount <= each.max_rial]


def explained(slug: str, code: str) -> str:
    """A result code in the reader's language; the code itself when the bank's document does not have it."""
    codes = gateway(slug).codes if slug in settings.GATEWAY else {}
    return str(codes.get(code) or OUR_CODES.get(code) or code)


def post_json(url: str, body: Mapping[str, Any], *, keep: frozenset[str]) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of the answer, with the names in `keep` alone.

    GatewayError(NO_ANSWER) for silence and for anything that is no JSON object.
    """
    try:
        # A session of its own takes no proxy or password from the environment, and keeps no cookie.
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                url,
                json=body,
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            )
            content = _read(answer)
    except requests.Timeout:
        raise GatewayError(Kind.NO_ANSWER, "timeout") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
        raise GatewayError(Kind.NO_ANSWER, "unreachable") from None
    if answer.status_code >= 500 or 300 <= answer.status_code < 400:
        raise GatewayError(Kind.NO_ANSWER, f"http-{answer.status_code}")
    try:
        # What is not on the list, such as the card, is dropped while it is being read.
        value = json.loads(content, object_pairs_hook=lambda pairs: {k: v for k, v in pairs if k in keep})
    except ValueError:
        raise GatewayError(Kind.NO_ANSWER, "not-json") from None
    if not isinstance(value, dict):
        raise GatewayError(Kind.NO_ANSWER, "not-json")
    return answer.status_code, value


def _read(answer: requests.Response) -> bytes:
    """The body, within our patience: a bank that drips a byte a second would pass any timeout between pieces."""
    content, started = b"", time.monotonic()
    while piece := answer.raw.read1(8192):
        content += piece
        if len(content) > BIGGEST:
            raise GatewayError(Kind.NO_ANSWER, "too-big")
        if time.monotonic() - started > PATIENCE:
            raise GatewayError(Kind.NO_ANSWER, "timeout")
    return content


def fitting(value: object, pattern: str) -> str:
    """The text if it has that form, else nothing."""
    return value if isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII) else ""


def whole(value: object) -> int | None:
    """A whole number, given as one or as its digits. Booleans, floats and signs with spaces are none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value) else None


def origin(url: str) -> str:
    """Scheme, host and port, as Content-Security-Policy wants them."""
    return "/".join(url.split("/", 3)[:3])


@dataclass(frozen=True)
class Account:
    """What settings know of one gateway. Its repr says nothing, for tracebacks and logs."""

    api_url: str
    browser_url: str

    def __repr__(self) -> str:
        return type(self).__name__
