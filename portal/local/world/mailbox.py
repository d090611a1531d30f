"""The mail server and the customer's mailbox: every letter is kept as it came over the wire."""

import asyncio
import json
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as modern

from aiosmtpd.smtp import SMTP, Envelope, Session

from .scripts import Scripts
from .store import Store, iso

# Where no letter can go, and where none can go just now.
REFUSED, BUSY = "refused.example", "busy.example"
NEVER_S = 120


@dataclass(frozen=True)
class Letter:
    seq: int
    sender: str
    recipients: list[str]
    raw: bytes
    arrived_at: float

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

    def put(self, sender: str, recipients: list[str], raw: bytes) -> None:
        self._store.run(
            "INSERT INTO letters (sender, recipients, raw, arrived_at) VALUES (?, ?, ?, ?)",
            [sender, json.dumps(recipients), raw, self._store.now()],
        )

    def get(self, seq: int) -> Letter | None:
        row = self._store.one("SELECT * FROM letters WHERE seq = ?", [seq])
        return _letter(row) if row else None

    def all(self) -> list[Letter]:
        """Oldest first."""
        return [_letter(row) for row in self._store.rows("SELECT * FROM letters ORDER BY seq")]


def _letter(row: sqlite3.Row) -> Letter:
    fields = dict(row)
    return Letter(**fields | {"recipients": json.loads(fields["recipients"])})


class Doorman:
    """aiosmtpd's handler (RFC 5321): who may receive, and what happens to a whole letter."""

    def __init__(self, mailbox: Mailbox, scripts: Scripts) -> None:
        self._mailbox, self._scripts = mailbox, scripts

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        host = address.rpartition("@")[2].lower()
        if host == REFUSED:
            return "550 5.1.1 No such mailbox"
        if host == BUSY:
            return "451 4.3.0 Try again later"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        step = self._scripts.take("smtp", "send")
        if isinstance(step, Mapping):
            return f"{step.get('code', 451)} As the script says"
        if step == "refuse" and server.transport is not None:
            server.transport.close()
        if step in ("refuse", "500", "html"):
            return "554 5.3.0 Failed"
        if step == "timeout":
            await asyncio.sleep(NEVER_S)
        self._mailbox.put(envelope.mail_from or "", list(envelope.rcpt_tos), envelope.original_content or b"")
        if step != "ok":
            await asyncio.sleep(NEVER_S)
        return "250 2.0.0 Kept"


class MailServer:
    """The SMTP port, on an event loop of its own thread."""

    def __init__(self, mailbox: Mailbox, scripts: Scripts) -> None:
        self._doorman = Doorman(mailbox, scripts)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp", daemon=True)

    def start(self, port: int) -> int:
        """The port it listens on, which differs from the one asked for only when that was 0."""
        self._thread.start()
        return asyncio.run_coroutine_threadsafe(self._listen(port), self._loop).result()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=2)

    async def _listen(self, port: int) -> int:
        server = await self._loop.create_server(self._conversation, "127.0.0.1", port)
        return int(server.sockets[0].getsockname()[1])

    def _conversation(self) -> SMTP:
        return SMTP(self._doorman, enable_SMTPUTF8=True, hostname="outside.world", loop=self._loop)
