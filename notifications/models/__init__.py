"""What we told you, what you told us, and whether it arrived."""

from .outbox import Attempt, Channel, Delivery, Event, Lane, Purpose
from .tickets import Attachment, Ticket, TicketMessage
from .wording import Wording

__all__ = [
    "Attachment",
    "Attempt",
    "Channel",
    "Delivery",
    "Event",
    "Lane",
    "Purpose",
    "Ticket",
    "TicketMessage",
    "Wording",
]
