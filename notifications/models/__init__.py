"""What we told you, what you told us, and whether it arrived."""

from .calls import CallEvent, CallTask
from .outbox import Attempt, Channel, Delivery, Event, Lane, Purpose
from .preferences import Preference
from .tickets import Attachment, Ticket, TicketMessage
from .voice import VoiceCall

__all__ = [
    "Attachment",
    "Attempt",
    "CallEvent",
    "CallTask",
    "Channel",
    "Delivery",
    "Event",
    "Lane",
    "Preference",
    "Purpose",
    "Ticket",
    "TicketMessage",
    "VoiceCall",
]
