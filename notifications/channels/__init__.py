"""The companies that carry a message. Nothing here knows a row of ours."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol


class TransportError(Exception):
    """Why a message did not go. The text is a short code alone: no address, no key, no words of the message.

    `permanent`: the same again would fail again. `ours`: it is for our staff to mend, not the receiver's doing.
    `maybe_sent`: the provider may have taken it before the answer was lost. `out_of_credit`: our account there is
    empty. `busy`: it asks to be left alone for a while.
    """

    def __init__(
        self,
        code: str,
        *,
        permanent: bool = False,
        ours: bool = False,
        maybe_sent: bool = False,
        out_of_credit: bool = False,
        busy: bool = False,
    ) -> None:
        super().__init__(code)
        self.code, self.permanent, self.ours, self.maybe_sent = code, permanent, ours, maybe_sent
        self.out_of_credit, self.busy = out_of_credit, busy


class Text(NamedTuple):
    to: str
    text: str
    local_id: int


class SmsCarrier(Protocol):
    """A company that carries SMS. Every call raises TransportError for the whole of it."""

    slug: str
    remembers_local_ids: bool  # whether it can be asked for our own numbers

    def send_texts(self, texts: Sequence[Text]) -> list[Any]:
        """Up to 200 in one call, answered in the same order."""

    def send_code(self, to: str, template: str, code: str) -> Any:
        """By an approved template."""

    def find(self, local_ids: Sequence[int]) -> dict[int, Any]:
        """Of up to 500 of our own numbers those that it has."""

    def standings(self, refs: Sequence[str]) -> list[Any]:
        """The fate of up to 500 messages."""

    def credit(self) -> int:
        """Rials."""


def sms_carriers() -> list[SmsCarrier]:
    """The preferred first."""
    from django.conf import settings

    from .kavenegar import SmsOperator  # it knows TransportError, so this module cannot know it earlier

    company = settings.KAVENEGAR
    return [SmsOperator(company["api_key"], f"{company['api_url']}/v1", company["sender"])]
