"""What this room holds about a person, how it is handed over and how it goes."""

from typing import Any

from django.db.models import Q

from notifications.messages import shown, title
from notifications.models import (
    Attachment,
    CallTask,
    Delivery,
    Event,
    Preference,
    Suppression,
    Ticket,
    TicketMessage,
)
from portal.privacy import Held

ACCOUNT = "until the account is closed"
HOLDS = {
    "Event.context": Held(
        "the words of our message to you; codes and links go as soon as they are handed over", ACCOUNT
    ),
    "Delivery.recipient": Held("the address to which a message was sent, as it was then", ACCOUNT),
    "Ticket.subject": Held("what your ticket is about", ACCOUNT),
    "TicketMessage.text": Held("what you wrote to us and what we answered", ACCOUNT),
    "Attachment.name": Held("the name of a file that you sent us", ACCOUNT),
    "Attachment.file_key": Held("opens a file that you sent us", ACCOUNT),
    "CallTask.why": Held("what had happened when we wanted to call you", ACCOUNT),
    "CallTask.note": Held("what was said when we called you", ACCOUNT),
}


def export(customer: Any) -> dict[str, Any]:
    """Everything of this room, as plain values."""
    events = Event.objects.visible_to(customer).with_words().prefetch_related("deliveries")
    tickets = Ticket.objects.visible_to(customer).prefetch_related("messages__attachments")
    calls, preference = CallTask.objects.filter(customer=customer), Preference.objects.filter(reader=customer).first()
    return {
        "messages": [_event(event) for event in events],
        "tickets": [_ticket(ticket) for ticket in tickets],
        "addresses that did not work": [_suppression(each) for each in customer.suppressions.all()],
        "calls": [_call(call) for call in calls],
        "preferences": _preference(preference) if preference else {},
    }


def _suppression(suppression: Suppression) -> dict[str, Any]:
    lifted = suppression.lifted_at and suppression.lifted_at.isoformat()
    why = {"reason": suppression.reason, "answer": suppression.code}
    return {"channel": suppression.channel, "since": suppression.at.isoformat(), "until": lifted, **why}


def _event(event: Event) -> dict[str, Any]:
    ways = [{"channel": way.channel, "to": way.recipient or "", "status": way.status} for way in event.deliveries.all()]
    return {"at": event.at.isoformat(), "title": title(event), "text": shown(event), "sent": ways}


def _ticket(ticket: Ticket) -> dict[str, Any]:
    turns = [
        {
            "at": turn.at.isoformat(),
            "from": "staff" if turn.is_staff else "you",
            "text": turn.text,
            "files": [{"name": file.name, "bytes": file.size} for file in turn.attachments.all()],
        }
        for turn in ticket.messages.all()
    ]
    return {"number": ticket.number, "subject": ticket.subject, "status": ticket.status, "conversation": turns}


def _call(call: CallTask) -> dict[str, Any]:
    return {
        "asked_at": call.asked_at.isoformat(),
        "called_at": call.made_at.isoformat() if call.made_at else "",
        "number": call.number,
        "reason": call.reason,
        "why": call.why or "",
        "status": call.status,
        "outcome": call.outcome,
        "note": call.note or "",
    }


def _preference(preference: Preference) -> dict[str, Any]:
    hours = {name: f"{getattr(preference, name):%H:%M}" for name in ("quiet_from", "quiet_until")}
    return {**hours, "digest": preference.digest, "changed_at": preference.changed_at.isoformat()}


def erase(customer: Any) -> None:
    """Empty every personal column and shred the files; that a message went out, or that we called, stays without its
    words.
    """
    for attachment in Attachment.objects.filter(Q(message__ticket__customer=customer) | Q(message__author=customer)):
        attachment.shred()
    TicketMessage.objects.filter(Q(ticket__customer=customer) | Q(author=customer)).update(text=None)
    Ticket.objects.visible_to(customer).update(subject=None)
    theirs = Delivery.objects.filter(Q(event__customer=customer) | Q(reader=customer))
    unsent = theirs.filter(status__in=(*Delivery.DUE, Delivery.Status.GATHERED))
    unsent.update(status=Delivery.Status.SUPPRESSED, last_code="erased", not_before=None)
    theirs.update(recipient=None)
    CallTask.objects.filter(customer=customer).update(why=None, note=None)
    Preference.objects.filter(reader=customer).delete()
    Event.objects.visible_to(customer).update(context=None)
    customer.suppressions.all().delete()
