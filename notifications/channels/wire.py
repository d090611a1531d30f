"""The one way to call a company for SMS: bounded in time and size, and its key shows in no error."""

import json
import time
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from . import TransportError

TIMEOUT = (3.05, 10)  # seconds to connect, and to the first byte of the answer
WHOLE, AT_MOST = 5, 1024 * 1024  # seconds and bytes for the rest of it


def ask(method: str, url: str, **request: Any) -> tuple[int, dict[str, Any]]:
    """HTTP status and JSON object of the answer; anything else is a TransportError."""
    text, left = b"", None
    try:
        # A session of its own takes no proxy or password from the environment, and keeps no cookie.
        with requests.Session() as session:
            session.trust_env = False
            with session.request(method, url, timeout=TIMEOUT, allow_redirects=False, stream=True, **request) as reply:
                text = _read(reply)
    except requests.RequestException as error:
        left = not _never_left(error)
    except (HTTPError, OSError):
        left = True
    if left is not None:  # raised out here, or the original with the key in its text would hang on as its context
        raise TransportError("network", maybe_sent=left)
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise TransportError(f"http-{reply.status_code}", maybe_sent=True)
    return reply.status_code, answer


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
