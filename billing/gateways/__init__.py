"""The banks' doors: what each gateway's adapter takes and answers.

Adapters take and give plain values and know no rows. What a callback or an answer carries beyond the white list, cards
above all, never reaches a name that lives.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from django.conf import settings
from django.utils.translation import gettext_lazy as _


class Kind(Enum):
    """What a bank's answer means."""

    PAID = "paid"
    ALREADY = "already"  # verified by an earlier call whose answer was lost
    NOT_PAID = "not_paid"  # definite
    GIVEN_BACK = "given_back"  # definite: the money went back to the payer
    TOO_LATE = "too_late"  # the time to verify, or to give back, is over
    PENDING = "pending"  # the payer is still at the bank
    MISMATCH = "mismatch"  # paid, but another amount, receipt or terminal than ours
    REFUSED = "refused"  # definite: the bank will not do what was asked
    NO_ANSWER = "no_answer"  # silence, an error page, half a body: nothing is known
    MISCONFIGURED = "misconfigured"  # our credentials or address are refused; says nothing of the money


class Attempt(NamedTuple):
    """What a bank needs to hear of one of our payments. Amount is whole Rials; token and receipt may be empty."""

    amount: int
    order_number: int
    token: str
    receipt: str


class Outcome(NamedTuple):
    """`code` is the bank's own, or a word of ours for a missing answer. Times are aware.

    `taken` is what the bank says it took for us, in Rials, when that is not our amount.
    """

    kind: Kind
    code: str = ""
    receipt: str = ""
    trace: str = ""
    bank_time: datetime | None = None
    taken: int | None = None


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
    amount: str = ""


# Words of ours where the bank gave no code.
OUR_CODES: dict[str, Any] = {
    "timeout": _("The bank did not answer in time"),
    "unreachable": _("The bank could not be reached"),
    "not-json": _("The bank's answer could not be read"),
    "not-xml": _("The bank's answer could not be read"),
    "not-understood": _("The bank's answer could not be read"),
    "too-big": _("The bank's answer could not be read"),
    "other-amount": _("The bank took another amount than ours"),
    "bank-file": _("Found in the bank's settlement file"),
}
SERVER_ERROR = _("The bank had an error of its own")


class GatewayError(Exception):
    """The call gave nothing usable. `kind` is NO_ANSWER, REFUSED or MISCONFIGURED."""

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
    reverses_within: timedelta | None  # of the transaction; None: never
    verifies_by_token: bool  # a payment whose callback was lost can still be collected
    settles: bool  # verified money is only transferred after a second call
    codes: Mapping[str, Any]  # result code → lazy text
    browser_url: str

    def ask_token(self, *, amount: int, order_number: int, callback_url: str, description: str) -> str:
        """Open a payment at the bank. Never repeated by itself: raises GatewayError."""

    def leave(self, token: str) -> Start: ...

    def pick(self, params: Mapping[str, str]) -> Returned:
        """The white list of the callback's fields, each checked for its form; an odd one counts as missing."""

    def matches(self, returned: Returned, attempt: Attempt) -> bool:
        """Whether the callback is of this attempt, and not of another one."""

    def verify(self, attempt: Attempt) -> Outcome:
        """Take the money. May be repeated until an answer comes."""

    def inquire(self, attempt: Attempt) -> Outcome | None:
        """Where a payment stands, without taking its money; None where the bank has no such question."""

    def settle(self, attempt: Attempt) -> Outcome:
        """Have verified money transferred: PAID once that is so. May be repeated."""

    def reverse(self, attempt: Attempt) -> Outcome:
        """Give the whole amount back to the payer's card: GIVEN_BACK once that is so. May be repeated."""


@dataclass(frozen=True)
class Account:
    """What settings know of one gateway. Its repr says nothing, for tracebacks and logs."""

    api_url: str
    browser_url: str

    def __repr__(self) -> str:
        return type(self).__name__

    def inquire(self, attempt: Attempt) -> Outcome | None:
        return None

    def settle(self, attempt: Attempt) -> Outcome:
        return Outcome(Kind.PAID)

    def reverse(self, attempt: Attempt) -> Outcome:
        return Outcome(Kind.REFUSED)


def gateway(slug: str) -> Gateway:
    """The adapter of a configured gateway; KeyError when it is not configured."""
    account = settings.GATEWAY[slug]
    adapter: Gateway = import_module(f"{__name__}.{slug}").Adapter(**account)
    return adapter


def explained(slug: str, code: str) -> str:
    """A result code in the reader's language; the code itself when the bank's document does not have it."""
    codes = gateway(slug).codes if slug in settings.GATEWAY else {}
    server_error = SERVER_ERROR if code.startswith("http-5") else ""
    return str(codes.get(code) or OUR_CODES.get(code) or server_error or code)


def origin(url: str) -> str:
    """Scheme, host and port, as Content-Security-Policy wants them."""
    return "/".join(url.split("/", 3)[:3])
