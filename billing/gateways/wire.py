"""The one way to call a bank: JSON or SOAP over HTTPS, with bounded time and size, and a white list of what is read."""

import json
import re
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

import requests
import urllib3

from . import GatewayError, Kind

TIMEOUT = (3.05, 15)  # seconds to connect, and between two pieces of an answer
PATIENCE = 20  # seconds for the whole body
BIGGEST = 64 * 1024  # bytes of an answer
TEHRAN = ZoneInfo("Asia/Tehran")
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


def post_json(
    url: str, body: Mapping[str, Any], *, keep: frozenset[str], headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of the answer, with the names in `keep` alone.

    GatewayError(NO_ANSWER) for silence and for anything that is no JSON object.
    """
    said = json.dumps(body).encode()
    status, content = _post(url, said, {"Content-Type": "application/json", "Accept": "application/json"}, headers)
    try:
        # What is not on the list, such as the card, is dropped while it is being read.
        value = json.loads(content, object_pairs_hook=lambda pairs: {k: v for k, v in pairs if k in keep})
    except ValueError:
        raise GatewayError(Kind.NO_ANSWER, "not-json") from None
    if not isinstance(value, dict):
        raise GatewayError(Kind.NO_ANSWER, "not-json")
    return status, value


def post_soap(url: str, body: str, *, action: str, keep: Iterable[str]) -> dict[str, str]:
    """Text by name of the elements in `keep`, each namespace and all, that stand anywhere in the answer's Body.

    SOAP 1.1 by fixed envelopes. GatewayError(NO_ANSWER) for silence, a Fault, and anything that is no SOAP answer.
    """
    envelope = (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{SOAP}"><soap:Header/>'
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    )
    kind = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"', "Accept": "text/xml"}
    _status, content = _post(url, envelope.encode(), kind)
    if b"<!DOCTYPE" in content:  # an answer needs none; entities would be the way to do harm
        raise GatewayError(Kind.NO_ANSWER, "not-xml")
    try:
        found = ElementTree.fromstring(content).find(f"{{{SOAP}}}Body")  # noqa: S314 - no DOCTYPE, bounded size
    except ElementTree.ParseError:
        raise GatewayError(Kind.NO_ANSWER, "not-xml") from None
    wanted = set(keep)
    every = [] if found is None else found.iter()
    answer = {each.tag: (each.text or "").strip() for each in every if each.tag in wanted}
    if not answer:
        raise GatewayError(Kind.NO_ANSWER, "not-xml")
    return answer


def elements(fields: Mapping[str, object]) -> str:
    """XML children in the order of the mapping."""
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items())


def _post(
    url: str, body: bytes, headers: Mapping[str, str], more: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    try:
        # A session of its own takes no proxy or password from the environment, and keeps no cookie.
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                url,
                data=body,
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
                headers={"Accept-Encoding": "identity", **headers, **(more or {})},
            )
            content = _read(answer)
    except requests.Timeout:
        raise GatewayError(Kind.NO_ANSWER, "timeout") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError):
        raise GatewayError(Kind.NO_ANSWER, "unreachable") from None
    if answer.status_code >= 500 or 300 <= answer.status_code < 400:
        raise GatewayError(Kind.NO_ANSWER, f"http-{answer.status_code}")
    return answer.status_code, content


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
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value, re.ASCII) else None


def digits(value: object, longest: int = 24) -> str:
    """The digits of a positive number, given as one or as text; else nothing."""
    number = whole(value)
    text = str(number) if isinstance(value, int) and number is not None else value
    return fitting(text, rf"[0-9]{{1,{longest}}}") if number else ""


def tehran_time(text: object) -> datetime | None:
    """A bank's clock without a zone is Tehran's."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=TEHRAN)
