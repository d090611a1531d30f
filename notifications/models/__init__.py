"""What we told you, what you told us, and whether it arrived."""

from .calls import CallEvent, CallTask
from .carriers import MAIL, Carrier, Turn
from .outbox import Attempt, Channel, Delivery, Event, Lane, Purpose
from .preferences import Preference
from .receipts import Receipt, Suppression
from .tickets import Attachment, Ticket, TicketMessage
from .turns import DeliveryQuerySet, Outcome
from .voice import VoiceCall

__all__ = [
    "MAIL",
    "Attachment",
    "Attempt",
    "CallEvent",
    "CallTask",
    "Carrier",
    "Channel",
    "Delivery",
    "DeliveryQuerySet",
    "Event",
    "Lane",
    "Outcome",
    "Preference",
    "Purpose",
    "Receipt",
    "Suppression",
    "Ticket",
    "TicketMessage",
    "Turn",
    "VoiceCall",
]
