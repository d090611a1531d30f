"""E-mail by SMTP (RFC 5321): one letter after the other over a kept connection, and a plain answer to whether each was
taken.
"""

import contextlib
import smtplib
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any, NamedTuple

from . import TransportError, dkim

TIMEOUT = 5  # seconds for each answer; a conversation has at most eleven
IDLE_AT_MOST, AGE_AT_MOST = 60, 600  # seconds that a connection is kept without a letter, and in all


class Letter(NamedTuple):
    """As it goes over the wire: from whom, to whom, and its bytes."""

    sender: str
    to: str
    content: bytes


class Form:
    """Words in the form of mail: what is the same for all their readers is put together once."""

    def __init__(self, *, sender: str, subject: str, text: str, html: str, language: str) -> None:
        letter = EmailMessage(policy=SMTP)
        try:
            letter["From"], letter["Subject"] = sender, subject
        except ValueError:  # a line break in a header is how others' mails are forged
            raise TransportError("address", permanent=True) from None
        # A machine wrote it (RFC 3834): no machine needs to answer, of which Exchange wants to be told by the second.
        letter["Auto-Submitted"], letter["X-Auto-Response-Suppress"] = "auto-generated", "All"
        letter["Content-Language"] = language
        letter.set_content(text, cte="quoted-printable")
        letter.add_alternative(html, subtype="html", cte="quoted-printable")
        self._sender, self._rest = parseaddr(sender)[1], letter.as_bytes()

    def letter(self, *, to: str, message_id: str, at: datetime) -> Letter:
        """To one reader. `message_id` and `at` stay the same when it is sent again, so that a double can be known."""
        address = parseaddr(to)[1]
        try:
            head = SMTP.fold_binary(*SMTP.header_store_parse("To", to))
            address.encode("ascii")
        except (UnicodeError, ValueError):
            raise TransportError("address", permanent=True) from None
        own = f"Date: {format_datetime(at)}\r\nMessage-ID: {message_id}\r\n".encode()
        return Letter(self._sender, address, dkim.signed(head + own + self._rest))


_kept = threading.local()


@contextlib.contextmanager
def mailer(server: Mapping[str, Any], *, us: str) -> Iterator["Mailer"]:
    """This thread's way to a mail server, whose connection stays open for the next letters; `us` is the host name that
    we greet with.
    """
    known: Mailer | None = getattr(_kept, "mailer", None)
    if known is None or (known.server, known.us) != (server, us):
        if known:
            known.close()
        known = _kept.mailer = Mailer(server, us)
    yield known


class Mailer:
    """One connection to a mail server, opened when it is needed and again when the server has closed it."""

    def __init__(self, server: Mapping[str, Any], us: str) -> None:
        self.server, self.us = dict(server), us
        self._connection: smtplib.SMTP | None = None
        self._opened = self._used = 0.0
        self._is_half_said = False  # a letter was begun and not taken

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None

    def send(self, letter: Letter, *, envelope_from: str = "") -> None:
        """Hand a letter over. `envelope_from` is where it comes back to; the sender's own address when empty."""
        connection = self._begin(envelope_from or letter.sender)
        self._is_half_said = True
        try:
            _give(connection, letter.to, letter.content)
            self._is_half_said = False
        except TransportError as error:
            if error.code in ("smtp-dropped", "smtp-421"):
                self.close()
            raise
        finally:
            self._used = time.monotonic()

    def _begin(self, sender: str) -> smtplib.SMTP:
        """A connection that took MAIL. Trouble on a kept one means nothing: the server may have had enough of it."""
        now = time.monotonic()
        if self._connection and now - self._used < IDLE_AT_MOST and now - self._opened < AGE_AT_MOST:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                # A letter that was taken leaves nothing behind (RFC 5321, 4.1.1.4); one that was refused does.
                is_clean = not self._is_half_said or self._connection.rset()[0] == 250
                if is_clean and self._connection.mail(sender)[0] == 250:
                    return self._connection
        self.close()
        connection = self._connection = _open(self.server, self.us)
        self._opened = now
        try:
            code, _answer = connection.mail(sender)
        except (OSError, smtplib.SMTPException):
            self.close()
            raise TransportError("smtp-dropped") from None
        if code != 250:
            self.close()
            raise TransportError(f"smtp-{code}", ours=True)
        return connection


def _open(server: Mapping[str, Any], us: str) -> smtplib.SMTP:
    try:
        connection = smtplib.SMTP(server["host"], server["port"], local_hostname=us, timeout=TIMEOUT)
    except smtplib.SMTPResponseException as error:
        raise TransportError(
            f"smtp-{error.smtp_code}", ours=error.smtp_code != 421, busy=error.smtp_code == 421
        ) from None
    except (OSError, smtplib.SMTPException):
        raise TransportError("smtp-connect") from None
    try:
        connection.ehlo_or_helo_if_needed()
        if server["tls"]:
            connection.starttls(context=ssl.create_default_context())
        if server["user"]:
            connection.login(server["user"], server["password"])
    except smtplib.SMTPResponseException as error:
        connection.close()
        raise TransportError(f"smtp-{error.smtp_code}", ours=True) from None
    except (OSError, smtplib.SMTPException):
        connection.close()
        raise TransportError("smtp-greeting", ours=True) from None
    return connection


def _give(connection: smtplib.SMTP, address: str, content: bytes) -> None:
    try:
        code, _answer = connection.rcpt(address)
        if code not in (250, 251):
            raise TransportError(f"smtp-{code}", permanent=code >= 500)
    except (OSError, smtplib.SMTPException):
        raise TransportError("smtp-dropped") from None
    try:
        code, _answer = connection.data(content)
    except smtplib.SMTPDataError as error:  # refused before a byte of the letter
        raise TransportError(f"smtp-{error.smtp_code}", permanent=error.smtp_code >= 500) from None
    except (OSError, smtplib.SMTPException):
        raise TransportError("smtp-dropped", maybe_sent=True) from None
    if code != 250:
        raise TransportError(f"smtp-{code}", permanent=code >= 500)
