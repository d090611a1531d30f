"""The companies that carry a message. Nothing here knows a row of ours."""

from collections.abc import Sequence
from enum import Enum
from importlib import import_module
from typing import NamedTuple, Protocol

from django.conf import settings


class TransportError(Exception):
    """Why a message did not go. The text is a short code alone: no address, no key, no words of the message.

    `permanent`: the same again would fail again. `ours`: it is for our staff to mend, not the receiver's doing.
    `maybe_sent`: the provider may have taken it before the answer was lost. `busy`: too much was asked at once.
    `out_of_credit`: the account is empty. `blocked`: the receiver refuses such senders.
    """

    def __init__(
        self,
        code: str,
        *,
        permanent: bool = False,
        ours: bool = False,
        maybe_sent: bool = False,
        busy: bool = False,
        out_of_credit: bool = False,
        blocked: bool = False,
    ) -> None:
        super().__init__(code)
        self.code, self.permanent, self.ours, self.maybe_sent = code, permanent, ours, maybe_sent
        self.busy, self.out_of_credit, self.blocked = busy, out_of_credit, blocked


class Fate(Enum):
    """What became of a message, as every company says it in numbers of its own."""

    PENDING = "pending"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    BLOCKED = "blocked"  # the receiver has such senders blocked
    UNKNOWN_ID = "unknown_id"  # not the company's, or too old for it to know


class Text(NamedTuple):
    """`to` is +98…; `local_id` is our own number in the company's books, signed 64 bits."""

    to: str
    text: str
    local_id: int


class Standing(NamedTuple):
    """What a company says of one message: its reference, what became of it, and the company's own code for that."""

    ref: str
    state: Fate
    code: str


class SmsCarrier(Protocol):
    """One company for SMS. Every call raises TransportError when it gave nothing usable."""

    slug: str
    # False: nothing can be looked up, so what may have been sent stays so until a person decides or its time is over.
    remembers_local_ids: bool
    texts_at_most: int  # of one call

    def send_texts(self, texts: Sequence[Text]) -> list[Standing]:
        """One call, all or nothing; answers in the same order."""

    def send_code(self, to: str, template: str, code: str) -> Standing:
        """By an approved template: first in the queue, past blocks of advertising."""

    def find(self, local_ids: Sequence[int]) -> dict[int, Standing]:
        """Those of up to 500 of our numbers that the company knows."""

    def standings(self, refs: Sequence[str]) -> list[Standing]:
        """The fate of up to 500 messages; a company may leave out what it has not got to."""

    def credit(self) -> int:
        """What is left on the account, in Rials."""

    def call(self, to: str, text: str, local_id: int) -> Standing:
        """Have the text read out on the phone. TransportError("no-voice") where the company cannot."""


def sms_carriers() -> list[SmsCarrier]:
    """Those of the settings, the preferred first: a slug is the name of a module beside this one."""
    return [import_module(f"{__name__}.{slug}").carrier() for slug in settings.SMS_CARRIERS]
