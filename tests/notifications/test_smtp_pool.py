"""The kept connection to the mail server: one for many letters, and a new one when the server has had enough."""

import asyncio
import threading
from collections.abc import Iterator
from email import message_from_bytes
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.utils import timezone

from notifications.channels import TransportError, smtp

US = "portal.example"


class Server:
    """A mail server that counts its guests, and shows them the door on demand."""

    def __init__(self) -> None:
        self.guests: list[SMTP] = []
        self.letters: list[Envelope] = []
        self.verbs: list[str] = []
        self.refuses: dict[str, str] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        listening = self._do(self._loop.create_server(self._welcome, "127.0.0.1", 0))
        self.port = listening.sockets[0].getsockname()[1]
        self._listening = listening

    def _do(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(5)

    def _welcome(self) -> SMTP:
        self.guests.append(SMTP(self, loop=self._loop))
        return self.guests[-1]

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        self.verbs.append("MAIL")
        if "MAIL" in self.refuses:
            return self.refuses.pop("MAIL")
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if address.startswith("nobody"):
            return "550 5.1.1 No such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_RSET(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.verbs.append("RSET")
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.letters.append(envelope)
        return "250 OK"

    def close_all(self) -> None:
        """As after its own idle time, or a restart."""

        async def close() -> None:
            for guest in self.guests:
                if guest.transport:
                    guest.transport.close()
            await asyncio.sleep(0.05)

        self._do(close())

    def stop(self) -> None:
        self.close_all()
        self._loop.call_soon_threadsafe(self._listening.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    yield one
    with smtp.mailer({"host": "nowhere"}, us=US):  # another server: the kept connection is closed
        pass
    one.stop()


def letter(to: str = "alice@example.com") -> smtp.Letter:
    form = smtp.Form(sender="Us <us@example.com>", subject="s", text="t", html="<p>t</p>", language="en")
    return form.letter(to=to, message_id="<1@x>", at=timezone.now())


def send(server: Server, to: str = "alice@example.com", **options: Any) -> None:
    where = {"host": "127.0.0.1", "port": server.port, "user": "", "password": "", "tls": False}
    with smtp.mailer(where, us=US) as mailer:
        mailer.send(letter(to), **options)


def test_many_letters_go_over_one_connection(server):
    for _ in range(3):
        send(server)
    assert len(server.guests) == 1 and len(server.letters) == 3
    assert server.verbs == ["MAIL"] * 3, "what was taken leaves nothing to clear away"


def test_a_refused_receiver_does_not_spoil_the_next_letter(server):
    with pytest.raises(TransportError, match="smtp-550"):
        send(server, "nobody@example.com")
    send(server)
    send(server)
    assert len(server.guests) == 1 and [each.rcpt_tos for each in server.letters] == [["alice@example.com"]] * 2
    assert server.verbs == ["MAIL", "RSET", "MAIL", "MAIL"]


def test_a_connection_that_the_server_closed_is_opened_again(server):
    send(server)
    server.close_all()
    send(server)
    assert len(server.guests) == 2 and len(server.letters) == 2


def test_a_server_that_wants_no_more_letters_on_it_gets_a_new_one(server):
    send(server)
    server.refuses["MAIL"] = "421 4.7.0 Enough for one connection"
    send(server)
    assert len(server.guests) == 2 and len(server.letters) == 2


def test_a_no_on_a_new_connection_counts(server):
    server.refuses["MAIL"] = "550 5.7.1 Not you"
    with pytest.raises(TransportError, match="smtp-550") as caught:
        send(server)
    assert caught.value.ours and not server.letters and len(server.guests) == 1


@pytest.mark.parametrize("limit", ["IDLE_AT_MOST", "AGE_AT_MOST"])
def test_it_is_kept_for_a_time_only(server, monkeypatch, limit):
    send(server)
    monkeypatch.setattr(smtp, limit, 0)
    send(server)
    assert len(server.guests) == 2


def test_each_thread_has_its_own(server):
    send(server)
    thread = threading.Thread(target=send, args=[server])
    thread.start()
    thread.join()
    send(server)
    assert len(server.guests) == 2 and len(server.letters) == 3


def test_the_envelope_says_where_it_comes_back_to(server):
    send(server, envelope_from="bounce+1@bounce.example")
    send(server)
    assert [each.mail_from for each in server.letters] == ["bounce+1@bounce.example", "us@example.com"]
    content = server.letters[0].content
    assert b"From: Us <us@example.com>" in content and b"bounce" not in content


def test_no_machine_answers_and_nothing_is_promotional():
    headers = {name.lower(): value for name, value in message_from_bytes(letter().content).items()}
    assert headers["auto-submitted"] == "auto-generated" and headers["x-auto-response-suppress"] == "All"
    assert not [name for name in headers if name.startswith("list-") or name in ("precedence", "feedback-id")]
