"""SMS by Kavenegar (REST document, web copy of 2025-11), through a mended subclass of its own client.

The client as published has no timeout, a fixed host, and prints the API key in its errors and its repr.
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import requests
from kavenegar import KavenegarAPI
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from notifications.channels import Text, TransportError

TIMEOUT = (3.05, 10)  # seconds to connect, and to the first byte of the answer
WHOLE, AT_MOST = 5, 1024 * 1024  # seconds and bytes for the rest of it
IDS_AT_MOST = 500
# return.status: refused for good because of the number; for good because of what or how we send.
# Every other code passes, some once our staff paid or mended the account (401, 403, 407, 412, 416, 418, 424, 426…).
NUMBER_REFUSED = {411}
REQUEST_REFUSED = {400, 404, 405, 406, 413, 414, 415, 417, 419, 420, 422, 428, 431, 432, 501, 607}
OUT_OF_CREDIT, BUSY = 418, {409, 451}
FOR_STAFF = {401, 403, 407, 412, 416, 424, 426, 427, 429}
# status of one message
DELIVERED, BLOCKED, UNKNOWN_ID = 10, 14, 100
NOT_DELIVERED = {6, 11, 13}


class Standing(NamedTuple):
    """What the operator says of one message; `ref` is its messageid."""

    ref: str
    status: int


class SmsOperator(KavenegarAPI):
    """Kavenegar's client with a time limit and an address of its own, and a key that shows nowhere."""

    slug, remembers_local_ids = "kavenegar", True

    def __init__(self, api_key: str, base_url: str, sender: str = "") -> None:
        super().__init__(api_key)
        self.base_url, self.sender = base_url, sender

    def __repr__(self) -> str:
        return "<SmsOperator>"

    __str__ = __repr__

    def _request(self, action: str, method: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        url = f"{self.base_url}/{self.apikey}/{action}/{method}.json"
        text, left = b"", None
        try:
            with requests.post(
                url, headers=self.headers, data=params, timeout=TIMEOUT, allow_redirects=False, stream=True
            ) as reply:
                text = _read(reply)
        except requests.RequestException as error:
            left = not _never_left(error)
        except (HTTPError, OSError):
            left = True
        if left is not None:  # raised out here, or the original with the key in its text would hang on as its context
            raise TransportError("network", maybe_sent=left)
        try:
            body = json.loads(text)
            code, entries = int(body["return"]["status"]), body.get("entries")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise TransportError(f"http-{reply.status_code}", maybe_sent=True) from None
        if code != 200:
            permanent = code in NUMBER_REFUSED | REQUEST_REFUSED
            raise TransportError(
                str(code),
                permanent=permanent,
                ours=code in REQUEST_REFUSED | FOR_STAFF,
                out_of_credit=code == OUT_OF_CREDIT,
                busy=code in BUSY,
            )
        return entries if isinstance(entries, list) else [entries] if isinstance(entries, dict) else []

    def send_texts(self, texts: Sequence[Text]) -> list[Standing]:
        """Send; the operator sends one `local_id` once only, and answers a repetition with the first record."""
        if len({text.text for text in texts}) == 1:
            receptors, ids = ",".join(text.to for text in texts), ",".join(str(text.local_id) for text in texts)
            params = {"receptor": receptors, "message": texts[0].text, "localid": ids, "hide": 1}
            entries = self.sms_send(params | {"sender": self.sender} if self.sender else params)
        else:
            columns = {
                "receptor": [text.to for text in texts],
                "sender": [self.sender] * len(texts),
                "message": [text.text for text in texts],
                "localmessageids": [text.local_id for text in texts],
            }
            written = {name: json.dumps(column, ensure_ascii=False) for name, column in columns.items()}
            entries = self._request("sms", "sendarray", written | {"hide": 1})
        if len(entries) != len(texts):
            raise TransportError("entries", maybe_sent=True)
        return [_standing(entry) for entry in entries]

    def send_code(self, to: str, template: str, code: str) -> Standing:
        """Send by an approved template: first in the queue, past blocks of advertising. It has no `localid`."""
        return _first(self.verify_lookup({"receptor": to, "template": template, "token": code, "type": "sms"}))

    def find(self, local_ids: Sequence[int]) -> dict[int, Standing]:
        """The messages that bear our numbers, as far as the operator has them of the last 12 hours."""
        found = {}
        for entry in self.sms_statuslocalmessageid({"localid": ",".join(map(str, local_ids))}):
            if (standing := _standing(entry)).status != UNKNOWN_ID:
                found[int(entry["localid"])] = standing
        return found

    def credit(self) -> int:
        return int(self.account_info()[0]["remaincredit"])

    def standings(self, refs: Iterable[str]) -> list[Standing]:
        """The fate of up to 500 messages of the last 48 hours."""
        return [_standing(entry) for entry in self.sms_status({"messageid": ",".join(refs)})]


def _never_left(error: requests.RequestException) -> bool:
    """Whether the connection itself failed, so that the request cannot have been read."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError) or isinstance(
        reason, NewConnectionError | ConnectTimeoutError
    )


def _read(reply: requests.Response) -> bytes:
    """The answer, unless it comes too slowly or does not end."""
    ends, text = time.monotonic() + WHOLE, bytearray()
    while chunk := reply.raw.read1(65536, decode_content=True):
        text += chunk
        if len(text) > AT_MOST or time.monotonic() > ends:
            raise TransportError("endless", maybe_sent=True)
    return bytes(text)


def _standing(entry: Mapping[str, Any]) -> Standing:
    try:
        return Standing(str(int(entry["messageid"])), int(entry["status"]))
    except (KeyError, TypeError, ValueError):
        raise TransportError("entries", maybe_sent=True) from None


def _first(entries: list[dict[str, Any]]) -> Standing:
    if not entries:
        raise TransportError("entries", maybe_sent=True)
    return _standing(entries[0])
