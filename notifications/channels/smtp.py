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
from typing import Any

from . import TransportError, dkim

TIMEOUT = 5  # seconds for each answer; a conversation has at most eleven
IDLE_AT_MOST, AGE_AT_MOST = 60, 600  # seconds that a connection is kept without a letter, and in all


def compose(
    *, sender: str, to: str, subject: str, text: str, html: str, message_id: str, at: datetime, language: str
) -> EmailMessage:
    """The letter. `message_id` and `at` stay the same when it is sent again, so that a double can be known as one."""
    letter = EmailMessage(policy=SMTP)
    try:
        letter["From"], letter["To"], letter["Subject"] = sender, to, subject
    except ValueError:  # a line break in a header is how others' mails are forged
        raise TransportError("address", permanent=True) from None
    letter["Date"], letter["Message-ID"] = format_datetime(at), message_id
    # A machine wrote it (RFC 3834): no machine needs to answer, of which Exchange wants to be told by the second.
    letter["Auto-Submitted"], letter["X-Auto-Response-Suppress"] = "auto-generated", "All"
    letter["Content-Language"] = language
    letter.set_content(text, cte="quoted-printable")
    letter.add_alternative(html, subtype="html", cte="quoted-printable")
    return letter


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

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None

    def send(self, letter: EmailMessage, *, envelope_from: str = "") -> None:
        """Hand a letter over. `envelope_from` is where it comes back to; the sender's own address when empty."""
        try:
            address, content = parseaddr(str(letter["To"]))[1], dkim.signed(letter.as_bytes())
            address.encode("ascii")
        except (UnicodeError, ValueError):
            raise TransportError("address", permanent=True) from None
        connection = self._begin(envelope_from or parseaddr(str(letter["From"]))[1])
        try:
            _give(connection, address, content)
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
                if self._connection.rset()[0] == 250 and self._connection.mail(sender)[0] == 250:
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
