"""The mailbox of bounces by POP3 (RFC 1939): USER PASS STAT LIST UIDL RETR TOP DELE NOOP RSET QUIT.

Any name and password is good but one that starts with "wrong". One session at a time holds the mailbox, as the document
asks; letters go at QUIT and at no other end. Scripts: `login` of `pop` can be "refuse", "timeout", "slow" or
{"code": …} (an -ERR); `quit` can be "refuse" (nothing is deleted) or "drop_after_commit" (deleted, no answer).
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence

from .bounces import BounceBox, Kept
from .scripts import SLOW_S, Scripts, Step

IDLE_S, NEVER_S = 600, 120


class Refused(Exception):
    """An -ERR; its text is what is said after it."""


class HungUp(Exception):
    """The connection ends without another word."""


class PopServer:
    def __init__(self, box: BounceBox, scripts: Scripts) -> None:
        self._box, self._scripts = box, scripts
        self.taken = False

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self._box, self._scripts, self)
        writer.write(b"+OK outside world\r\n")
        # A client that goes away, or says nothing for long, deletes nothing.
        with contextlib.suppress(ConnectionError, TimeoutError, HungUp, ValueError):
            while not session.over:
                line = await asyncio.wait_for(reader.readline(), IDLE_S)
                if not line:
                    break
                writer.write(await session.answer(line.decode("utf-8", "replace").strip()))
                await writer.drain()
        session.let_go()
        writer.close()


class Session:
    def __init__(self, box: BounceBox, scripts: Scripts, server: PopServer) -> None:
        self._box, self._scripts, self._server = box, scripts, server
        self._user = ""
        self._holds = False
        self._letters: Sequence[Kept] = []
        self._deleted: set[int] = set()
        self.over = False

    async def answer(self, line: str) -> bytes:
        verb, _, rest = line.partition(" ")
        try:
            return b"+OK " + await self._do(verb.upper(), rest.strip())
        except Refused as refused:
            return f"-ERR {refused}\r\n".encode()

    def let_go(self) -> None:
        if self._holds:
            self._holds = self._server.taken = False

    async def _do(self, verb: str, rest: str) -> bytes:
        if verb == "CAPA":
            return _lines("what there is", ["USER", "TOP", "UIDL"])
        if verb == "QUIT":
            return await self._quit()
        if not self._holds:
            return await self._sign_in(verb, rest)
        match verb:
            case "STAT":
                left = self._left()
                return _line(f"{len(left)} {sum(kept.size for _, kept in left)}")
            case "LIST":
                return self._listed(rest, lambda kept: str(kept.size))
            case "UIDL":
                return self._listed(rest, lambda kept: kept.uid)
            case "RETR":
                return _letter(self._box.raw(self._one(rest)[1].seq))
            case "TOP":
                number, _, count = rest.partition(" ")
                if not count.isdecimal():
                    raise Refused("how many lines?")
                return _letter(_top(self._box.raw(self._one(number)[1].seq), int(count)))
            case "DELE":
                self._deleted.add(self._one(rest)[0])
                return _line("marked")
            case "RSET":
                self._deleted.clear()
                return _line("nothing is marked")
            case "NOOP":
                return _line("")
        raise Refused("no such command")

    async def _sign_in(self, verb: str, rest: str) -> bytes:
        if verb == "USER" and rest:
            self._user = rest
            return _line("and the password?")
        if verb != "PASS" or not self._user:
            raise Refused("sign in first")
        step = self._scripts.take("pop", "login")
        await _play(step)
        if isinstance(step, Mapping):
            raise Refused("[SYS/TEMP] as the script says")
        if not rest or self._user.startswith("wrong") or rest.startswith("wrong"):
            raise Refused("[AUTH] wrong name or password")
        if self._server.taken:
            raise Refused("[IN-USE] somebody else reads it")
        self._holds = self._server.taken = True
        self._letters = self._box.list()
        return _line(f"{len(self._letters)} letters")

    async def _quit(self) -> bytes:
        self.over = True
        if self._holds:
            step = self._scripts.take("pop", "quit")
            if step != "drop_after_commit":
                await _play(step)
            self._box.delete([self._letters[number - 1].seq for number in self._deleted])
            if step == "drop_after_commit":
                raise HungUp
        return _line("bye")

    def _left(self) -> list[tuple[int, Kept]]:
        return [(number, kept) for number, kept in enumerate(self._letters, 1) if number not in self._deleted]

    def _one(self, number: str) -> tuple[int, Kept]:
        found = next((one for one in self._left() if str(one[0]) == number), None)
        if found is None:
            raise Refused("no such letter")
        return found

    def _listed(self, number: str, say: Callable[[Kept], str]) -> bytes:
        if number:
            found, kept = self._one(number)
            return _line(f"{found} {say(kept)}")
        return _lines("here", [f"{number} {say(kept)}" for number, kept in self._left()])


async def _play(step: Step) -> None:
    if step == "slow":
        await asyncio.sleep(SLOW_S)
    elif step == "timeout":
        await asyncio.sleep(NEVER_S)
    elif step != "ok" and not isinstance(step, Mapping):
        raise HungUp


def _line(text: str) -> bytes:
    return f"{text}\r\n".encode()


def _lines(first: str, lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in [first, *lines, "."]).encode()


def _letter(raw: bytes) -> bytes:
    """With a second dot before each line that starts with one."""
    lines = raw.removesuffix(b"\r\n").split(b"\r\n")
    stuffed = [b"." + line if line.startswith(b".") else line for line in lines]
    return b"\r\n".join([b"here it is", *stuffed, b".", b""])


def _top(raw: bytes, count: int) -> bytes:
    head, _, body = raw.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n" + b"".join(line + b"\r\n" for line in body.split(b"\r\n")[:count])
