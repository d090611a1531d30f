"""SMS by Kavenegar (REST document, web copy of 2025-11), through a mended subclass of its own client.

The client as published has no timeout, a fixed host, and prints the API key in its errors and its repr.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from kavenegar import KavenegarAPI

from . import Fate, Standing, Text, TransportError, wire

# return.status: refused for good because of the number; for good because of what or how we send; and until our staff
# paid or mended the account. Every other code passes by itself.
NUMBER_REFUSED = {411}
REQUEST_REFUSED = {400, 404, 405, 406, 413, 414, 415, 417, 419, 420, 422, 428, 431, 432, 501, 607}
FOR_STAFF = {401, 403, 407, 412, 416, 418, 424, 426, 427, 429, 430}
BUSY, NO_CREDIT = {409, 451}, 418
# status of one message; what is not here is on its way
FATES = {
    6: Fate.UNDELIVERED,
    10: Fate.DELIVERED,
    11: Fate.UNDELIVERED,
    13: Fate.UNDELIVERED,
    14: Fate.BLOCKED,
    100: Fate.UNKNOWN_ID,
}


class Kavenegar(KavenegarAPI):
    """Kavenegar's client with a time limit and an address of its own, and a key that shows nowhere."""

    slug = "kavenegar"
    remembers_local_ids = True
    texts_at_most = 200

    def __init__(self, api_key: str, api_url: str, sender: str = "") -> None:
        super().__init__(api_key)
        self.api_url, self.sender = api_url, sender

    def __repr__(self) -> str:
        return "<Kavenegar>"

    __str__ = __repr__

    def _request(self, action: str, method: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        url = f"{self.api_url}/v1/{self.apikey}/{action}/{method}.json"
        http, body = wire.ask("POST", url, headers=self.headers, data=params)
        try:
            code, entries = int(body["return"]["status"]), body.get("entries")
        except (ValueError, KeyError, TypeError):
            raise TransportError(f"http-{http}", maybe_sent=True) from None
        if code != 200:
            raise TransportError(
                str(code),
                permanent=code in NUMBER_REFUSED | REQUEST_REFUSED,
                ours=code in REQUEST_REFUSED | FOR_STAFF,
                busy=code in BUSY,
                out_of_credit=code == NO_CREDIT,
            )
        return entries if isinstance(entries, list) else [entries] if isinstance(entries, dict) else []

    def send_texts(self, texts: Sequence[Text]) -> list[Standing]:
        """Send; the company sends one `local_id` once only, and answers a repetition with the first record."""
        to, words, ids = zip(*texts, strict=True)
        if len(set(words)) == 1 and len(set(to)) == len(to):
            params = {"receptor": ",".join(to), "message": words[0], "localid": ",".join(map(str, ids)), "hide": 1}
            if self.sender:
                params["sender"] = self.sender
            entries = self.sms_send(params)
        else:
            columns = {"receptor": to, "message": words, "sender": [self.sender] * len(to), "localmessageids": ids}
            # As JSON in a string; the published client would send a list as a field for each of its values.
            written = {name: json.dumps(column, ensure_ascii=False) for name, column in columns.items()}
            entries = self.sms_sendarray({**written, "hide": 1})
        if len(entries) != len(texts):
            raise TransportError("entries", maybe_sent=True)
        return [_standing(entry) for entry in entries]

    def send_code(self, to: str, template: str, code: str) -> Standing:
        """Send by an approved template; there is no number of ours in it, so that it cannot be looked up."""
        return _only(self.verify_lookup({"receptor": to, "template": template, "token": code, "type": "sms"}))

    def find(self, local_ids: Sequence[int]) -> dict[int, Standing]:
        """Which of our numbers the company has; it forgets them after 12 hours."""
        entries = self.sms_statuslocalmessageid({"localid": ",".join(map(str, local_ids))})
        try:
            found = {int(entry["localid"]): _standing(entry) for entry in entries}
        except (KeyError, TypeError, ValueError):
            raise TransportError("entries", maybe_sent=True) from None
        if not found.keys() >= set(local_ids):  # silence about a number is no word that it was never sent
            raise TransportError("entries", maybe_sent=True)
        return {local_id: standing for local_id, standing in found.items() if standing.state != Fate.UNKNOWN_ID}

    def standings(self, refs: Sequence[str]) -> list[Standing]:
        """The company knows them for 48 hours."""
        return [_standing(entry) for entry in self.sms_status({"messageid": ",".join(refs)})]

    def credit(self) -> int:
        try:
            return int(self.account_info()[0]["remaincredit"])
        except (IndexError, KeyError, TypeError, ValueError):
            raise TransportError("entries") from None

    def call(self, to: str, text: str, local_id: int) -> Standing:
        return _only(self.call_maketts({"receptor": to, "message": text, "localid": local_id}))


def carrier() -> Kavenegar:
    return Kavenegar(**settings.KAVENEGAR)


def _standing(entry: Mapping[str, Any]) -> Standing:
    try:
        code = int(entry["status"])
        return Standing(str(int(entry["messageid"])), FATES.get(code, Fate.PENDING), str(code))
    except (KeyError, TypeError, ValueError):
        raise TransportError("entries", maybe_sent=True) from None


def _only(entries: list[dict[str, Any]]) -> Standing:
    if len(entries) != 1:
        raise TransportError("entries", maybe_sent=True)
    return _standing(entries[0])
