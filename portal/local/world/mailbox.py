"""The customer's mailbox: every letter that the mail server took, as it came over the wire."""

import json
import re
import sqlite3
from collections import Counter
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as modern

from .store import Store, iso

# What became of a letter after the server had taken it; the last two went back to their sender as a report.
KEPT, DELAYED, FAILED = "kept", "delayed", "failed"
MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Letter:
    seq: int
    sender: str
    recipients: list[str]
    raw: bytes
    arrived_at: float
    message_id: str
    fate: str

    @property
    def parsed(self) -> EmailMessage:
        return BytesParser(policy=modern).parsebytes(self.raw)

    @property
    def subject(self) -> str:
        return str(self.parsed["subject"] or "")

    def body(self, kind: str) -> str:
        """The text of the `plain` or `html` part; empty when the letter has none."""
        part = self.parsed.get_body((kind,))
        return str(part.get_content()) if part is not None else ""

    def attachments(self) -> list[dict[str, object]]:
        found = []
        for part in self.parsed.iter_attachments():
            content = part.get_payload(decode=True)
            size = len(content) if isinstance(content, bytes) else 0
            found.append({"name": part.get_filename() or "", "type": part.get_content_type(), "size": size})
        return found

    def as_json(self) -> dict[str, object]:
        return {
            "to": ", ".join(self.recipients),
            "from": str(self.parsed["from"] or self.sender),
            "envelope_from": self.sender,
            "fate": self.fate,
            "subject": self.subject,
            "text": self.body("plain"),
            "html": self.body("html"),
            "message_id": str(self.parsed["message-id"] or ""),
            "headers": {name.lower(): str(value) for name, value in self.parsed.items()},
            "attachments": self.attachments(),
            "at": iso(self.arrived_at),
        }


class Mailbox:
    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, sender: str, recipients: list[str], raw: bytes, fate: str = KEPT) -> None:
        found = MESSAGE_ID.search(head_of(raw))
        self._store.run(
            "INSERT INTO letters (sender, recipients, raw, arrived_at, message_id, fate) VALUES (?, ?, ?, ?, ?, ?)",
            [
                sender,
                json.dumps(recipients),
                raw,
                self._store.now(),
                found[1].decode("utf-8", "replace") if found else "",
                fate,
            ],
        )

    def get(self, seq: int) -> Letter | None:
        row = self._store.one("SELECT * FROM letters WHERE seq = ?", [seq])
        return _letter(row) if row else None

    def all(self) -> list[Letter]:
        """Oldest first."""
        return [_letter(row) for row in self._store.rows("SELECT * FROM letters ORDER BY seq")]

    def last(self, count: int) -> list[Letter]:
        """Newest first."""
        return [_letter(row) for row in self._store.rows("SELECT * FROM letters ORDER BY seq DESC LIMIT ?", [count])]

    def summary(self) -> dict[str, object]:
        """`doubles` are letters with a Message-ID that the same people had before."""
        rows = self._store.rows("SELECT recipients, message_id, fate FROM letters")
        ids = [row["message_id"] for row in rows if row["message_id"]]
        different = {(row["recipients"].lower(), row["message_id"]) for row in rows if row["message_id"]}
        return {
            "count": len(rows),
            "distinct_message_ids": len(set(ids)),
            "without_message_id": len(rows) - len(ids),
            "doubles": len(ids) - len(different),
            "fate": dict(Counter(row["fate"] for row in rows)),
        }


def head_of(raw: bytes) -> bytes:
    """The letter's header lines."""
    return raw.partition(b"\r\n\r\n")[0]


def _letter(row: sqlite3.Row) -> Letter:
    fields = dict(row)
    return Letter(**fields | {"recipients": json.loads(fields["recipients"])})
