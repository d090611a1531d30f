"""Every message that we may send, and its words."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.conf import settings
from django.template import Context, Template
from django.template.loader import get_template, render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from notifications.models import Channel, Event, Lane, Purpose
from portal import jalali

BOTH = (Channel.EMAIL, Channel.SMS)
HIDDEN = "••••••"
# The mark keeps a number that follows Persian words from being shown back to front (Unicode bidi rule W2).
LEFT_TO_RIGHT = "\u200e"
NUMBERS = ("number", "receipt")


@dataclass(frozen=True)
class Message:
    """One kind of message. `secrets` are words of its context that are forgotten once it is handed over; one that
    `can_wait` comes after its reader's quiet hours, one that `can_gather` comes in a digest to those who want one.
    """

    name: str
    purpose: Purpose
    lane: Lane
    channels: tuple[Channel, ...] = BOTH
    sms_template: str | None = None  # of the operator's verify/lookup; the language's code is added to it
    expires_in: dt.timedelta | None = None
    secrets: tuple[str, ...] = ()
    can_wait: bool = False
    can_gather: bool = False


class Words(NamedTuple):
    """A message as one channel carries it; `html` and `subject` are empty for SMS."""

    subject: str
    text: str
    html: str


_EMAIL, _SMS = (Channel.EMAIL,), (Channel.SMS,)
CATALOGUE: dict[str, Message] = {
    message.name: message
    for message in (
        Message("phone_code", Purpose.CODE, Lane.CODES, _SMS, "phone-code", dt.timedelta(minutes=5), secrets=("code",)),
        Message("login_code", Purpose.CODE, Lane.CODES, _EMAIL, expires_in=dt.timedelta(minutes=5), secrets=("code",)),
        Message("confirm_email", Purpose.CODE, Lane.CODES, _EMAIL, expires_in=dt.timedelta(days=1), secrets=("url",)),
        Message("account_exists", Purpose.SECURITY, Lane.MONEY),
        Message(
            "password_reset", Purpose.SECURITY, Lane.CODES, _EMAIL, expires_in=dt.timedelta(hours=1), secrets=("url",)
        ),
        Message("password_changed", Purpose.SECURITY, Lane.MONEY),
        Message("contact_changed", Purpose.SECURITY, Lane.MONEY, expires_in=dt.timedelta(hours=72), secrets=("url",)),
        Message("contact_restored", Purpose.SECURITY, Lane.MONEY),
        Message("suspended", Purpose.SECURITY, Lane.MONEY),
        Message("suspension_lifted", Purpose.SECURITY, Lane.MONEY),
        Message(
            "company_invitation", Purpose.CODE, Lane.CODES, _EMAIL, expires_in=dt.timedelta(days=7), secrets=("url",)
        ),
        Message("company_member", Purpose.SECURITY, Lane.MONEY),
        Message("exported", Purpose.SECURITY, Lane.MONEY),
        Message("second_factor", Purpose.SECURITY, Lane.MONEY),
        Message("new_device", Purpose.SECURITY, Lane.MONEY),
        Message("photo_id_approved", Purpose.SERVICE, Lane.TICKETS, can_wait=True),
        Message("photo_id_refused", Purpose.SERVICE, Lane.TICKETS, can_wait=True),
        Message("photo_id_expired", Purpose.SERVICE, Lane.TICKETS, can_wait=True),
        Message("photo_id_asked_again", Purpose.SERVICE, Lane.TICKETS, can_wait=True),
        Message("invoice_issued", Purpose.MONEY, Lane.MONEY),
        Message("payment_received", Purpose.MONEY, Lane.MONEY),
        Message("payment_not_applied", Purpose.MONEY, Lane.MONEY),
        Message("payment_given_back", Purpose.MONEY, Lane.MONEY),
        Message("credit_added", Purpose.MONEY, Lane.MONEY),
        Message("service_activated", Purpose.SERVICE, Lane.MONEY),
        Message("ticket_opened", Purpose.TICKET, Lane.TICKETS, can_wait=True),
        Message("ticket_answered", Purpose.TICKET, Lane.TICKETS, can_wait=True, can_gather=True),
        Message("ticket_digest", Purpose.TICKET, Lane.TICKETS, can_wait=True),
        Message("ticket_closed", Purpose.TICKET, Lane.TICKETS, can_wait=True),
        Message("policy_published", Purpose.LEGAL, Lane.BULK),
    )
}


def title(event: Event) -> str:
    """The subject, in the language in which the message was sent."""
    if translation.get_language() == event.language:  # as in most lists, where switching would cost more than the words
        return _subject(event, _spoken(event))
    with translation.override(event.language):
        return _subject(event, _spoken(event))


def render(event: Event, channel: str) -> Words:
    """What goes out on this channel, in the customer's language."""
    with translation.override(event.language):
        context = _spoken(event)
        if channel == Channel.SMS:
            return Words("", _written(f"messages/{event.message}/sms.txt", context), "")
        subject, text = _subject(event, context), _written(f"messages/{event.message}/body.txt", context)
        sender = _("Yaghout Software Group")
        return Words(
            subject, f"{text}\n\n-- \n{sender}\n{settings.SITE_URL}\n", _html(subject, text, sender, context.get("url"))
        )


def shown(event: Event) -> str:
    """The message as its page shows it: codes and links that open something stay hidden."""
    message = CATALOGUE[event.message]
    with translation.override(event.language):
        context = _spoken(event) | dict.fromkeys(message.secrets, HIDDEN)
        source = "body" if Channel.EMAIL in message.channels else "sms"
        return _written(f"messages/{event.message}/{source}.txt", context)


def _spoken(event: Event) -> dict[str, Any]:
    """The stored context, with days and moments in words."""
    persian = event.language == "fa"
    spoken = dict(event.context or {})
    for name, value in spoken.items():
        if not isinstance(value, str) or not value:
            continue
        if name in ("at", "until"):
            spoken[name] = jalali.moment(dt.datetime.fromisoformat(value), event.language)
        elif name in ("due_on", "effective"):
            is_day = len(value) == len("2026-11-23")
            day = dt.date.fromisoformat(value) if is_day else dt.datetime.fromisoformat(value)
            spoken[name] = jalali.day(day, event.language)
        elif name == "number" and value.isdecimal():
            spoken[name] = jalali.digits(value, event.language)
        elif name in NUMBERS and persian:
            spoken[name] = f"{LEFT_TO_RIGHT}{value}"
    return spoken


def _written(name: str, context: dict[str, Any]) -> str:
    """Plain text: nothing is escaped here, everything is where it enters the HTML."""
    template: Template = get_template(name).template  # type: ignore[attr-defined]
    text = template.render(Context(context, autoescape=False))
    return "\n".join(line.strip() for line in text.strip().splitlines())


def _subject(event: Event, context: dict[str, Any]) -> str:
    """One line, whatever a customer typed into it."""
    return " ".join(_written(f"messages/{event.message}/subject.txt", context).split())


def _html(subject: str, text: str, sender: str, url: str | None) -> str:
    """The same words as a letter: the line that is the message's own address is a link, everything else is escaped."""
    paragraphs = [
        [{"text": line, "is_link": line == url} for line in paragraph.splitlines()]
        for paragraph in text.split("\n\n")
        if paragraph.strip()
    ]
    context = {
        "subject": subject,
        "paragraphs": paragraphs,
        "language": translation.get_language(),
        "direction": "rtl" if translation.get_language_bidi() else "ltr",
        "sender": sender,
        "site_url": settings.SITE_URL,
    }
    return render_to_string("messages/layout.html", context)
