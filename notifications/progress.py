"""How far a message has come, in words for its reader."""

import re
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from notifications.models import Attempt, Channel, Delivery, Lane

# Of the numbering plan; a number that moved to another operator keeps its own.
HAMRAH_E_AVAL = re.compile(r"\+989(1|9[0-6])")
IRANCELL = re.compile(r"\+989(0[0-5]|3[035-9]|41)")
S = Delivery.Status


def label(delivery: Delivery) -> str:
    """A badge's words."""
    sms = delivery.channel == Channel.SMS
    match delivery.status:
        case S.QUEUED if delivery.tries:
            return _("We try again soon")
        case S.QUEUED if delivery.not_before and delivery.not_before > timezone.now():
            return _("Waits until your quiet hours end")
        case S.ACCEPTED:
            return _("Handed to the operator") if sms else _("Handed to your mail server")
        case S.DELIVERED:
            return _("Delivered to your mobile") if sms else _("Delivered")
        case S.UNDELIVERED:
            return _("The operator could not deliver it") if sms else _("Refused by the receiving server")
        case S.BLOCKED:
            return _("Blocked at your operator")
        case S.SUPPRESSED if delivery.last_code == "bounced":
            return _("Not sent: letters to you came back")
        case S.SUPPRESSED if delivery.last_code == "killed":
            return _("Not sent: we stopped this notice")
        case S.SUPPRESSED if delivery.last_code == "reader-left":
            return _("Not sent: its reader left")
        case S.SUPPRESSED:
            return _("Not sent: no mobile number") if sms else _("Not sent: no e-mail address")
        case S.PARKED:
            return _("Our staff look into it")
        case _status:
            return str(delivery.get_status_display())


def tone(delivery: Delivery) -> str:
    """A mail server says no more than that it took a mail, so for e-mail that is the good end."""
    if delivery.channel == Channel.EMAIL and delivery.status == S.ACCEPTED:
        return "ok"
    return delivery.tone


def note(delivery: Delivery) -> str:
    """What it means and what to do, where a badge says too little."""
    match delivery.status:
        case S.BLOCKED:
            mobile = delivery.recipient or (delivery.reader and delivery.reader.mobile) or ""
            return f"{blocked()} {unblocking(mobile)}"
        case S.UNDELIVERED if delivery.channel == Channel.SMS:
            return _("The mobile may have been off for long, or out of reach. You have our e-mail and this page.")
        case S.UNDELIVERED:
            return _("Please look whether the e-mail address in your profile is right and its mailbox not full.")
        case S.GATHERED:
            return _("You asked for answers to tickets in one message; the next one brings it.")
        case S.UNKNOWN:
            return _("The answer to our last try was lost. We ask before we send anything twice.")
        case S.EXPIRED:
            return _("It could not be sent in time, and late it would be of no use. Please ask for a new one.")
        case S.SUPPRESSED if delivery.last_code == "bounced":
            return _("Is the address right, and does its mailbox have room? You can change it in your profile.")
        case S.SUPPRESSED if delivery.last_code == "no-address":
            return _("You can add it to your profile.")
    return ""


def blocked() -> str:
    return _(
        "Your operator blocks messages from numbers like ours, because advertising is blocked for your mobile. "
        "Ours are never advertising."
    )


def unblocking(mobile: str) -> str:
    """What to do at the operator whose numbers begin like this one."""
    if HAMRAH_E_AVAL.match(mobile):
        how = _("To let them through, dial *800#.")
    elif IRANCELL.match(mobile):
        how = _("To let them through, send an SMS to 5005.")
    else:
        how = _("To let them through, ask your operator to allow messages of services.")
    return f"{how} {_('Until then you have our e-mail and this page.')}"


def sms_block(reader: Any) -> str:
    """What stops our SMS at the reader's operator and how that ends; empty once one arrived again."""
    ended = Delivery.objects.filter(reader=reader, channel=Channel.SMS, status__in=(S.DELIVERED, S.BLOCKED))
    # Codes pass such blocks, so that their arrival says nothing.
    last = ended.exclude(lane=Lane.CODES).order_by("-event__at").values_list("status", flat=True).first()
    return f"{blocked()} {unblocking(reader.mobile or '')}" if last == S.BLOCKED else ""


def timeline(delivery: Delivery) -> list[dict[str, Any]]:
    """From the first try to where it stands now."""
    items = [{"at": delivery.event.at, "title": _("Written down to be sent"), "note": "", "tone": "info"}]
    items += [_tried(attempt) for attempt in delivery.attempts.all() if attempt.outcome in (S.QUEUED, S.UNKNOWN)]
    last = list(delivery.attempts.all())[-1:]
    at = delivery.delivered_at or delivery.accepted_at or (last[0].finished_at if last else delivery.event.at)
    items.append({"at": at, "title": label(delivery), "note": note(delivery), "tone": tone(delivery)})
    return items


def _tried(attempt: Attempt) -> dict[str, Any]:
    lost = attempt.outcome == S.UNKNOWN
    title = _("Tried; the answer was lost") if lost else _("Tried; it could not be handed over")
    return {"at": attempt.finished_at, "title": title, "note": "", "tone": "wait"}
