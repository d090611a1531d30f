"""Letters that come back: the address they come back to, the mailbox where they wait (POP3, RFC 1939), and what they
report (RFC 3464).
"""

import contextlib
import email
import hmac
import poplib
import re
import uuid
from collections.abc import Iterator, Mapping
from email.message import Message
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.crypto import salted_hmac

TIMEOUT = 10  # seconds for each answer
LETTERS_AT_MOST = 200  # of one round
BYTES_AT_MOST, LINES = 256 * 1024, 500  # of a bigger letter we read the beginning alone
TAG = 20  # hexadecimal digits: the local part stays within the 64 octets of RFC 5321
RETURN = re.compile(rf"bounce\+([0-9a-f]{{32}})\.([0-9a-f]{{{TAG}}})@", re.IGNORECASE)
STATUS = re.compile(r"\s*([245]\.[0-9]{1,3}\.[0-9]{1,3})\b")
# Where mail servers write down for whom a letter was.
HEADERS = ("To", "Delivered-To", "X-Original-To", "Envelope-To")


class Bounce(NamedTuple):
    """`is_final` is false while the other server still tries; `code` is its status, such as 5.1.1."""

    delivery_id: uuid.UUID
    is_final: bool
    code: str


def return_path(delivery_id: uuid.UUID) -> str:
    """Where this letter comes back to; its tag is ours alone to make. Empty when letters come back to nobody."""
    if not settings.BOUNCE_DOMAIN:
        return ""
    return f"bounce+{delivery_id.hex}.{_tag(delivery_id.hex)}@{settings.BOUNCE_DOMAIN}"


def _tag(name: str) -> str:
    return salted_hmac("notifications.bounces", name, algorithm="sha256").hexdigest()[:TAG]


def report(raw: bytes) -> Bounce | None:
    """What a letter in the mailbox reports of one of ours; None for whatever else arrives there."""
    try:
        letter = email.message_from_bytes(raw)
        about, block = _about(letter), _block(letter)
    except Exception:  # anybody may write there, and parsers break in many ways; what breaks one is no report
        return None
    if about is None or block is None:
        return None
    status = STATUS.match(str(block.get("Status", "")))
    action = str(block.get("Action", "")).strip().lower()
    if status is None or action not in ("failed", "delayed") or status[1].startswith("2"):
        return None
    return Bounce(about, action == "failed", status[1])


def _about(letter: Message) -> uuid.UUID | None:
    for value in (str(value) for name in HEADERS for value in letter.get_all(name, [])):
        for found in RETURN.finditer(value):
            name, tag = found[1].lower(), found[2].lower()
            if hmac.compare_digest(tag, _tag(name)):
                return uuid.UUID(name)
    return None


def _block(letter: Message) -> Message | None:
    """The first of its lines about a receiver; we write to one at a time."""
    for part in letter.walk():
        if part.get_content_type() == "message/delivery-status":
            blocks = part.get_payload()
            return next((block for block in blocks if isinstance(block, Message) and block.get("Action")), None)
    return None


def letters(server: Mapping[str, Any]) -> Iterator[bytes]:
    """What waits in the mailbox. Each is deleted once the next one is asked for, and for good when all were."""
    unreadable: set[bytes] = set()
    while True:
        seen = len(unreadable)
        with contextlib.closing(_open(server)) as box:
            yield from _round(box, unreadable)
            if len(unreadable) == seen:
                box.quit()
                return


def _round(box: poplib.POP3, unreadable: set[bytes]) -> Iterator[bytes]:
    """Ends early with one more in `unreadable` when the answer to it broke the conversation: nothing is deleted then,
    and the next round, which passes over it, meets the same letters once more.
    """
    names = dict(line.split()[:2] for line in box.uidl()[1])
    for line in box.list()[1][:LETTERS_AT_MOST]:
        number, size = line.split()[:2]
        if names[number] not in unreadable:
            try:
                text = box.top(number.decode(), LINES) if int(size) > BYTES_AT_MOST else box.retr(number.decode())
            except poplib.error_proto:
                unreadable.add(names[number])
                return
            yield b"\r\n".join(text[1])
        box.dele(number.decode())


def _open(server: Mapping[str, Any]) -> poplib.POP3:
    kind = poplib.POP3_SSL if server["tls"] else poplib.POP3
    box = kind(server["host"], server["port"], timeout=TIMEOUT)
    try:
        box.user(server["user"])
        box.pass_(server["password"])
    except BaseException:
        box.close()
        raise
    return box
