"""E-mail by SMTP (RFC 5321): one message, one conversation, and a plain answer to whether it was taken."""

import contextlib
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any

from notifications.channels import TransportError

TIMEOUT = 5  # seconds for each answer; a conversation has at most nine


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
    letter["Auto-Submitted"] = "auto-generated"
    letter["Content-Language"] = language
    letter.set_content(text, cte="quoted-printable")
    letter.add_alternative(html, subtype="html", cte="quoted-printable")
    return letter


@contextlib.contextmanager
def mailer(server: Mapping[str, Any], *, us: str) -> Iterator["Mailer"]:
    """The way to the mail server, opened with the first letter; `us` is the host name that we greet with."""
    one = Mailer(server, us)
    try:
        yield one
    finally:
        one.quit()


class Mailer:
    """One connection for as many letters as it lasts."""

    def __init__(self, server: Mapping[str, Any], us: str) -> None:
        self.server, self.us = server, us
        self.connection: smtplib.SMTP | None = None

    def send(self, letter: EmailMessage) -> None:
        """Hand over to the mail server."""
        try:
            address, content = parseaddr(str(letter["To"]))[1], letter.as_bytes()
            address.encode("ascii")
        except (UnicodeError, ValueError):
            raise TransportError("address", permanent=True) from None
        connection = self._connected()
        try:
            _converse(connection, parseaddr(str(letter["From"]))[1], address, content)
        except TransportError:
            self.quit()
            raise

    def _connected(self) -> smtplib.SMTP:
        if self.connection is None:
            try:
                fresh = smtplib.SMTP(self.server["host"], self.server["port"], local_hostname=self.us, timeout=TIMEOUT)
            except smtplib.SMTPResponseException as error:
                raise TransportError(f"smtp-{error.smtp_code}", ours=True) from None
            except (OSError, smtplib.SMTPException):
                raise TransportError("smtp-connect") from None
            self.connection = fresh
            try:
                _greet(fresh, self.server)
            except TransportError:
                self.quit()
                raise
        return self.connection

    def quit(self) -> None:
        if self.connection is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self.connection.quit()
            self.connection.close()
            self.connection = None


def _greet(connection: smtplib.SMTP, server: Mapping[str, Any]) -> None:
    try:
        connection.ehlo_or_helo_if_needed()
        if server["tls"]:
            connection.starttls(context=ssl.create_default_context())
        if server["user"]:
            connection.login(server["user"], server["password"])
    except smtplib.SMTPResponseException as error:
        raise TransportError(f"smtp-{error.smtp_code}", ours=True) from None
    except (OSError, smtplib.SMTPException):
        raise TransportError("smtp-greeting", ours=True) from None


def _converse(connection: smtplib.SMTP, sender: str, address: str, content: bytes) -> None:
    try:
        code, _answer = connection.mail(sender)
        if code != 250:
            raise TransportError(f"smtp-{code}", ours=True)
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
