"""SMS by SMS.ir (REST API v1, sms.ir/rest-api, web copy of 2025).

For a third company: copy this file under the company's slug with its class and `carrier()`, give it its settings, and
name the slug in SMS_CARRIERS. It has to say what it remembers, how much one call takes, and what each of its codes
means: whose fault, for how long, and whether the message may have gone.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings

from . import Fate, Standing, Text, TransportError, wire

# status of a call, in the same order as in kavenegar.py
NUMBER_REFUSED = {104}
BLACKLISTED = 115
REQUEST_REFUSED = {16, 103, 105, 106, 107, 108, 109, 110, 114, 116, 117, 118}
FOR_STAFF = {10, 11, 12, 13, 14, 15, 101, 102, 113, 119, 123, 124}
BUSY, NO_CREDIT, NOT_FOUND = {20}, 102, 111
UNEXPECTED = 0  # an error within the company, which has no number of ours to ask it by
# deliveryState of one message; null, 3, 5 and 8 are on their way
FATES = {
    1: Fate.DELIVERED,
    2: Fate.UNDELIVERED,
    4: Fate.UNDELIVERED,
    6: Fate.UNDELIVERED,
    7: Fate.BLOCKED,
}
CODE = "CODE"  # what our templates call it
ASK_FOR = 30  # seconds for one round of questions: each message is a call of its own


class SmsIr:
    slug = "smsir"
    remembers_local_ids = False
    texts_at_most = 100

    def __init__(self, api_key: str, api_url: str, line: int, unit_rial: int, templates: Mapping[str, int]) -> None:
        self.api_url, self.line, self.unit_rial, self.templates = api_url, line, unit_rial, templates
        self._headers = {"X-API-KEY": api_key, "Accept": "application/json"}

    def __repr__(self) -> str:
        return "<SmsIr>"

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        http, answer = wire.ask(method, f"{self.api_url}/v1/{path}", headers=self._headers, json=body)
        try:
            code = int(answer["status"])
        except (KeyError, TypeError, ValueError):
            raise TransportError(f"http-{http}", maybe_sent=True) from None
        if code != 1:
            raise TransportError(
                str(code),
                permanent=code in NUMBER_REFUSED | REQUEST_REFUSED or code == BLACKLISTED,
                ours=code in REQUEST_REFUSED | FOR_STAFF,
                maybe_sent=code == UNEXPECTED,
                busy=code in BUSY or http == 429,
                out_of_credit=code == NO_CREDIT,
                blocked=code == BLACKLISTED,
            )
        return answer.get("data")

    def send_texts(self, texts: Sequence[Text]) -> list[Standing]:
        """Send. The company knows no number of ours: the same call again is a second message."""
        body: dict[str, Any] = {"lineNumber": self.line, "mobiles": [text.to for text in texts], "sendDateTime": None}
        words = [text.text for text in texts]
        if len(set(words)) == 1:
            data = self._ask("POST", "send/bulk", {**body, "messageText": words[0]})
        else:
            data = self._ask("POST", "send/likeToLike", {**body, "messageTexts": words})
        try:
            sent = [_sent(message_id) for message_id in data["messageIds"]]
        except (KeyError, TypeError):
            raise TransportError("entries", maybe_sent=True) from None
        if len(sent) != len(texts):
            raise TransportError("entries", maybe_sent=True)
        return sent

    def send_code(self, to: str, template: str, code: str) -> Standing:
        if template not in self.templates:
            raise TransportError("template", ours=True)
        parameters = [{"name": CODE, "value": code}]
        body = {"mobile": to, "templateId": self.templates[template], "parameters": parameters}
        try:
            return _sent(self._ask("POST", "send/verify", body)["messageId"])
        except (KeyError, TypeError):
            raise TransportError("entries", maybe_sent=True) from None

    def find(self, local_ids: Sequence[int]) -> dict[int, Standing]:
        raise TransportError("no-look-up", permanent=True, ours=True)

    def standings(self, refs: Sequence[str]) -> list[Standing]:
        """One call a message, as many as half a minute allows; the others come with the next round."""
        ends, found = time.monotonic() + ASK_FOR, []
        for ref in refs:
            if time.monotonic() > ends:
                break
            found.append(self._standing(ref))
        return found

    def _standing(self, ref: str) -> Standing:
        try:
            state = self._ask("GET", f"send/{int(ref)}")["deliveryState"]
            return Standing(ref, FATES.get(state, Fate.PENDING), str(state))
        except TransportError as error:
            if error.code != str(NOT_FOUND):
                raise
            return Standing(ref, Fate.UNKNOWN_ID, error.code)
        except (KeyError, TypeError, ValueError):
            raise TransportError("entries") from None

    def credit(self) -> int:
        """The company counts in messages of one part; settings say what one costs."""
        try:
            return int(float(self._ask("GET", "credit")) * self.unit_rial)
        except (TypeError, ValueError, OverflowError):
            raise TransportError("entries") from None

    def call(self, to: str, text: str, local_id: int) -> Standing:
        raise TransportError("no-voice", permanent=True, ours=True)


def carrier() -> SmsIr:
    return SmsIr(**settings.SMSIR)


def _sent(message_id: Any) -> Standing:
    try:
        return Standing(str(int(message_id)), Fate.PENDING, "")
    except (TypeError, ValueError):
        raise TransportError("entries", maybe_sent=True) from None
