"""Letters that come back: the report (RFC 3464) that a mail server writes, and the mailbox that takes such reports.

A letter to an address at bounces.example is accepted and comes back as failed (5.1.1), one to slow.example is kept and
reported as delayed (4.4.1); a script may name any other status. The report goes to the envelope's sender. What is sent
to any address at the portal's bounce domain (WORLD_BOUNCE_DOMAIN) lies in one mailbox, which pop.py serves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import format_datetime, make_msgid
from time import time

from .mailbox import DELAYED, FAILED, KEPT, Mailbox, head_of
from .store import Store, iso, utc

BOUNCING, SLOW = "bounces.example", "slow.example"
STATUS = {BOUNCING: "5.1.1", SLOW: "4.4.1"}
SAYS = {
    "5.1.1": "550 5.1.1 No such mailbox",
    "5.2.2": "552 5.2.2 Mailbox full",
    "4.4.1": "421 4.4.1 No answer from host",
}
HERE = "outside.world"


@dataclass(frozen=True)
class Kept:
    """One report in the mailbox."""

    seq: int
    size: int
    arrived_at: float

    @property
    def uid(self) -> str:
        return f"{self.seq}.{int(self.arrived_at * 1000)}"


class BounceBox:
    """Its letters stay until a reader deletes them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, raw: bytes) -> None:
        self._store.run("INSERT INTO bounces (raw, arrived_at) VALUES (?, ?)", [raw, self._store.now()])

    def list(self) -> Sequence[Kept]:
        """Oldest first."""
        rows = self._store.rows("SELECT seq, LENGTH(raw) AS size, arrived_at FROM bounces ORDER BY seq")
        return [Kept(**dict(row)) for row in rows]

    def raw(self, seq: int) -> bytes:
        row = self._store.one("SELECT raw FROM bounces WHERE seq = ?", [seq])
        return bytes(row["raw"]) if row else b""

    def delete(self, seqs: Sequence[int]) -> None:
        with self._store.step():
            for seq in seqs:
                self._store.run("DELETE FROM bounces WHERE seq = ?", [seq])


class Post:
    """Where a letter goes that the mail server took."""

    def __init__(self, store: Store, mailbox: Mailbox, box: BounceBox, bounce_domain: str) -> None:
        self._store, self._mailbox, self._box, self._bounce_domain = store, mailbox, box, bounce_domain

    def accept(self, sender: str, recipients: list[str], raw: bytes, status: str = "") -> None:
        """`status` is that of a script, for all recipients."""
        with self._store.step():
            to_box = [address for address in recipients if domain_of(address) == self._bounce_domain]
            for _ in to_box:
                self._box.put(raw)
            others = [address for address in recipients if address not in to_box]
            if not others:
                return
            statuses = {address: status or STATUS.get(domain_of(address), "") for address in others}
            back = {address: found for address, found in statuses.items() if found}
            self._mailbox.put(sender, others, raw, _fate(list(back.values())))
            # A report about a report would go round for ever: those have no sender.
            if sender and back:
                self.accept("", [sender], report(sender, back, raw, self._store.now()))


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _fate(statuses: list[str]) -> str:
    if any(status.startswith("5") for status in statuses):
        return FAILED
    return DELAYED if statuses else KEPT


def report(sender: str, statuses: dict[str, str], raw: bytes, now: float) -> bytes:
    """The multipart/report to `sender` about one letter, with a group of fields for each of its recipients."""
    boundary = f"report-{time():.6f}"
    failed = any(status.startswith("5") for status in statuses.values())
    subject = "Undelivered Mail Returned to Sender" if failed else "Delayed Mail (still being retried)"
    groups = "\r\n".join(_group(address, status, now) for address, status in statuses.items())
    written = f"""\
Return-Path: <>
Date: {format_datetime(utc(now))}
From: Mail Delivery System <MAILER-DAEMON@{HERE}>
To: {sender}
Subject: {subject}
Message-ID: {make_msgid(domain=HERE)}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"

This is a MIME-encapsulated message.

--{boundary}
Content-Type: text/plain; charset=us-ascii

{"Your message could not be delivered." if failed else "Your message has not been delivered yet."}

--{boundary}
Content-Type: message/delivery-status

Reporting-MTA: dns; {HERE}
Arrival-Date: {format_datetime(utc(now))}

{groups}
--{boundary}
Content-Type: text/rfc822-headers

"""
    start = written.replace("\r\n", "\n").replace("\n", "\r\n").encode()
    return start + head_of(raw) + f"\r\n\r\n--{boundary}--\r\n".encode()


def _group(address: str, status: str, now: float) -> str:
    permanent = status.startswith("5")
    lines = [
        f"Final-Recipient: rfc822; {address}",
        f"Action: {'failed' if permanent else 'delayed'}",
        f"Status: {status}",
        f"Remote-MTA: dns; mx.{domain_of(address)}",
        f"Diagnostic-Code: smtp; {SAYS.get(status, ('550' if permanent else '451') + f' {status} Not delivered')}",
    ]
    if not permanent:
        lines.append(f"Will-Retry-Until: {format_datetime(utc(now + 5 * 86_400))}")
    return "\r\n".join(lines) + "\r\n"


def as_json(box: BounceBox) -> list[dict[str, object]]:
    return [{"uid": kept.uid, "size": kept.size, "at": iso(kept.arrived_at)} for kept in box.list()]
