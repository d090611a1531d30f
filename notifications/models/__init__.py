"""What we told you, what you told us, and whether it arrived."""

from .affected import Affected, Proof
from .broadcasts import Broadcast, BroadcastEvent, BroadcastRecipient
from .incidents import Incident, IncidentUpdate, Severity
from .maintenance import Maintenance, MaintenanceUpdate
from .outbox import Attempt, Channel, Delivery, Event, Lane, Purpose
from .tickets import Attachment, Ticket, TicketMessage
from .trouble import Component

__all__ = [
    "Affected",
    "Attachment",
    "Attempt",
    "Broadcast",
    "BroadcastEvent",
    "BroadcastRecipient",
    "Channel",
    "Component",
    "Delivery",
    "Event",
    "Incident",
    "IncidentUpdate",
    "Lane",
    "Maintenance",
    "MaintenanceUpdate",
    "Proof",
    "Purpose",
    "Severity",
    "Ticket",
    "TicketMessage",
]
