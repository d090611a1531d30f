"""What we told you, what you told us, and whether it arrived."""

from .broadcasts import Broadcast, BroadcastEvent, BroadcastRecipient
from .outbox import Attempt, Channel, Delivery, Event, Lane, Purpose
from .tickets import Attachment, Ticket, TicketMessage

__all__ = [
    "Attachment",
    "Attempt",
    "Broadcast",
    "BroadcastEvent",
    "BroadcastRecipient",
    "Channel",
    "Delivery",
    "Event",
    "Lane",
    "Purpose",
    "Ticket",
    "TicketMessage",
]
