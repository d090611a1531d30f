"""What we told you, what you told us, and whether it arrived."""

from .carriers import MAIL, Carrier, Turn
from .outbox import Attempt, Channel, Delivery, Event, Lane, Purpose
from .receipts import Receipt, Suppression
from .tickets import Attachment, Ticket, TicketMessage
from .turns import DeliveryQuerySet, Outcome
from .wording import Wording

__all__ = [
    "MAIL",
    "Attachment",
    "Attempt",
    "Carrier",
    "Channel",
    "Delivery",
    "DeliveryQuerySet",
    "Event",
    "Lane",
    "Outcome",
    "Purpose",
    "Receipt",
    "Suppression",
    "Ticket",
    "TicketMessage",
    "Turn",
    "Wording",
]
