"""The mail server (RFC 5321): who may receive, and what happens to a letter on its way in.

Addresses at refused.example are refused for good (550) and at busy.example for now (451), both at RCPT; bounces.py says
which are taken and come back. Scripts of `smtp`: `greet` (a {"code": 421} greeting, or "refuse"), `rcpt`
({"code": 450}) and `send`, which is asked after DATA: {"code": 554}, "refuse" (the letter is lost, no answer),
"drop_after_commit" (kept, no answer), "slow", {"bounces": "5.2.2"} (taken, then back). {"code": …, "raw": …} also
chooses the words.
"""

import asyncio
import threading
from collections.abc import Mapping

from aiosmtpd.smtp import SMTP, Envelope, Session

from .bounces import BounceBox, Post
from .pop import PopServer
from .scripts import SLOW_S, Scripts, Step

# Where no letter can go, and where none can go just now.
REFUSED, BUSY = "refused.example", "busy.example"
NEVER_S = 120


class Doorman:
    """aiosmtpd's handler."""

    def __init__(self, post: Post, scripts: Scripts) -> None:
        self._post, self._scripts = post, scripts

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        step = self._scripts.take("smtp", "rcpt")
        refusal = await self._before(step, server)
        host = address.rpartition("@")[2].lower()
        if host == REFUSED:
            refusal = "550 5.1.1 No such mailbox"
        elif host == BUSY:
            refusal = "451 4.3.0 Try again later"
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        wait = self._scripts.latency.get("smtp", 0)
        if wait:
            await asyncio.sleep(wait)
        step = self._scripts.take("smtp", "send")
        refusal = await self._before(step, server)
        if refusal:
            return refusal
        status = str(step.get("bounces", "")) if isinstance(step, Mapping) else ""
        # aiosmtpd writes the empty sender of a report as it stands on the wire.
        sender = (envelope.mail_from or "").removeprefix("<>")
        self._post.accept(sender, list(envelope.rcpt_tos), envelope.original_content or b"", status)
        if step == "drop_after_commit":
            _hang_up(server)
        elif isinstance(step, str) and step not in ("ok", "slow"):
            await asyncio.sleep(NEVER_S)
        return "250 2.0.0 Kept"

    async def _before(self, step: Step, server: SMTP) -> str:
        """What a script lets happen before anything is done; the refusal, if it is one."""
        if isinstance(step, Mapping):
            return _words(step, 451) if "code" in step or "raw" in step else ""
        if step == "refuse":
            _hang_up(server)
        if step == "slow":
            await asyncio.sleep(SLOW_S)
        if step == "timeout":
            await asyncio.sleep(NEVER_S)
        return "554 5.3.0 Failed" if step in ("refuse", "500", "html") else ""


class ClosedDoor(asyncio.Protocol):
    """A greeting that sends the client away; none at all when empty."""

    def __init__(self, greeting: str) -> None:
        self._greeting = greeting

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._greeting and isinstance(transport, asyncio.Transport):
            transport.write(f"{self._greeting}\r\n".encode())
        transport.close()


class PostOffice:
    """The SMTP and POP ports, on an event loop of their own thread."""

    def __init__(self, post: Post, box: BounceBox, scripts: Scripts) -> None:
        self._doorman, self._scripts, self._pop = Doorman(post, scripts), scripts, PopServer(box, scripts)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="post", daemon=True)

    def start(self, smtp_port: int, pop_port: int) -> tuple[int, int]:
        """The ports it listens on, which differ from those asked for only where that was 0."""
        self._thread.start()
        return asyncio.run_coroutine_threadsafe(self._listen(smtp_port, pop_port), self._loop).result()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=2)

    async def _listen(self, smtp_port: int, pop_port: int) -> tuple[int, int]:
        smtp = await self._loop.create_server(self._conversation, "127.0.0.1", smtp_port)
        pop = await asyncio.start_server(self._pop.talk, "127.0.0.1", pop_port)
        return int(smtp.sockets[0].getsockname()[1]), int(pop.sockets[0].getsockname()[1])

    def _conversation(self) -> asyncio.Protocol:
        step = self._scripts.take("smtp", "greet")
        if isinstance(step, Mapping):
            return ClosedDoor(_words(step, 421))
        if step != "ok":
            return ClosedDoor("")
        return SMTP(self._doorman, enable_SMTPUTF8=True, hostname="outside.world", loop=self._loop)


def _words(step: Mapping[str, object], code: int) -> str:
    return f"{step.get('code', code)} {step.get('raw', 'As the script says')}"


def _hang_up(server: SMTP) -> None:
    if server.transport is not None:
        server.transport.close()
