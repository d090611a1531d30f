"""What we told you, what you told us, and whether it arrived."""

from .broadcasts import Broadcast, BroadcastEvent, BroadcastRecipient
from .carriers import MAIL, Carrier, Turn
from .outbox import Attempt, Channel, Delivery, Event, Lane, Purpose
from .tickets import Attachment, Ticket, TicketMessage
from .turns import DeliveryQuerySet, Outcome

__all__ = [
    "MAIL",
    "Attachment",
    "Attempt",
    "Broadcast",
    "BroadcastEvent",
    "BroadcastRecipient",
    "Carrier",
    "Channel",
    "Delivery",
    "DeliveryQuerySet",
    "Event",
    "Lane",
    "Outcome",
    "Purpose",
    "Ticket",
    "TicketMessage",
    "Turn",
]
