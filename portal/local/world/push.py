"""Kavenegar's "Status Callback URL": the end of each message is told to an address of the customer's.

Kavenegar's document does not describe it. What is seen in the field: GET, or POST of a form or of JSON, with
`messageid`, `status`, `statustext` and `receptor`, unsigned and sent once. Messages are told of when they come to their
end by the world's clock; only those that were accepted while an address was set.
"""

import http.client
import json
import threading
import time
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from .kavenegar_texts import STATUSES
from .store import Store
from .texts import Texts

HOWS = ("get", "form", "json")
LOOK_EVERY_S, AT_ONCE, PATIENCE_S = 0.2, 200, 5


class BadPush(Exception):
    """No address of this machine, or no such way to tell it."""


class Push:
    def __init__(self, store: Store, texts: Texts) -> None:
        self._store, self._texts = store, texts
        self.where = ("", HOWS[0])
        self._teller: threading.Thread | None = None

    @property
    def is_on(self) -> bool:
        return bool(self.where[0])

    def set(self, url: str, how: str) -> None:
        """Where to tell it from now on; nowhere when empty."""
        if how not in HOWS:
            raise BadPush(f"how is one of {', '.join(HOWS)}")
        # What is pretended here must never reach a stranger.
        if url and (urlsplit(url).scheme != "http" or urlsplit(url).hostname not in ("127.0.0.1", "localhost")):
            raise BadPush("url is an http address of this machine")
        self.where = (url, how)
        if url and self._teller is None:
            self._teller = threading.Thread(target=self._tell_for_ever, name="push", daemon=True)
            self._teller.start()

    def now(self, messageid: int, status: int) -> int | None:
        """Tells this and nothing else, true or not. The HTTP status of the answer, None when there was none."""
        text = self._texts.by_id("kavenegar", messageid)
        return self._tell(messageid, status, text.receptor if text else "")

    def _tell(self, messageid: int, status: int, receptor: str) -> int | None:
        fields = {
            "messageid": messageid,
            "status": status,
            "statustext": STATUSES.get(status, ""),
            "receptor": receptor,
        }
        try:
            return _ask(*self.where, fields)
        except (OSError, http.client.HTTPException):
            return None

    def _tell_for_ever(self) -> None:
        while True:
            time.sleep(LOOK_EVERY_S)
            if not self.is_on:
                continue
            with self._store.step():
                texts = self._texts.to_tell(AT_ONCE)
                for text in texts:
                    self._texts.told(text)
            for text in texts:
                self._tell(text.messageid, text.ends, text.receptor)


def _ask(url: str, how: str, fields: Mapping[str, object]) -> int:
    parts = urlsplit(url)
    path, body, headers = parts.path or "/", b"", {}
    query = [parts.query] if parts.query else []
    if how == "get":
        query.append(urlencode(fields))
    elif how == "form":
        body, headers = urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    else:
        body, headers = json.dumps(fields, ensure_ascii=False).encode(), {"Content-Type": "application/json"}
    line = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=PATIENCE_S)
    try:
        line.request("GET" if how == "get" else "POST", path + ("?" + "&".join(query) if query else ""), body, headers)
        return line.getresponse().status
    finally:
        line.close()
