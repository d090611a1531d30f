"""What we told you, what you told us, and whether it arrived."""

from .affected import Affected, Proof
from .broadcasts import Broadcast, BroadcastEvent, BroadcastRecipient
from .carriers import MAIL, Carrier, Turn
from .incidents import Incident, IncidentUpdate, Severity
from .maintenance import Maintenance, MaintenanceUpdate
from .outbox import Attempt, Channel, Delivery, Event, Lane, Purpose
from .receipts import Receipt, Suppression
from .tickets import Attachment, Ticket, TicketMessage
from .trouble import Component
from .turns import DeliveryQuerySet, Outcome
from .wording import Wording

__all__ = [
    "MAIL",
    "Affected",
    "Attachment",
    "Attempt",
    "Broadcast",
    "BroadcastEvent",
    "BroadcastRecipient",
    "Carrier",
    "Channel",
    "Component",
    "Delivery",
    "DeliveryQuerySet",
    "Event",
    "Incident",
    "IncidentUpdate",
    "Lane",
    "Maintenance",
    "MaintenanceUpdate",
    "Outcome",
    "Proof",
    "Purpose",
    "Receipt",
    "Severity",
    "Suppression",
    "Ticket",
    "TicketMessage",
    "Turn",
    "Wording",
]
