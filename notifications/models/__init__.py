"""What we told you, what you told us, and whether it arrived."""

from .affected import Affected, Proof
from .broadcasts import Broadcast, BroadcastEvent, BroadcastRecipient
from .calls import CallEvent, CallTask
from .carriers import MAIL, Carrier, Turn
from .incidents import Incident, IncidentUpdate, Severity
from .maintenance import Maintenance, MaintenanceUpdate
from .outbox import Attempt, Channel, Delivery, Event, Lane, Purpose
from .preferences import Preference
from .receipts import Receipt, Suppression
from .resends import Resend
from .tickets import Attachment, Ticket, TicketMessage
from .trouble import Component
from .turns import DeliveryQuerySet, Outcome
from .voice import VoiceCall
from .wording import Wording

__all__ = [
    "MAIL",
    "Affected",
    "Attachment",
    "Attempt",
    "Broadcast",
    "BroadcastEvent",
    "BroadcastRecipient",
    "CallEvent",
    "CallTask",
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
    "Preference",
    "Proof",
    "Purpose",
    "Receipt",
    "Resend",
    "Severity",
    "Suppression",
    "Ticket",
    "TicketMessage",
    "Turn",
    "VoiceCall",
    "Wording",
]
