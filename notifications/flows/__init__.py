"""Stories of this room: tell a customer something, deliver it, learn what became of it, and talk in tickets."""

from .affected import how_many
from .delivering import HINT_LASTS, deliver, deliver_due, sms_operator, sweep, tidy
from .incidents import open_incident, resolve_incident, update_incident
from .maintenance import (
    announce_maintenance,
    cancel_maintenance,
    finish_maintenance,
    plan_maintenance,
    remind_of_maintenance,
    reschedule_maintenance,
    start_maintenance,
)
from .receipts import ask_operator
from .telling import tell
from .tickets import answer_ticket, close_ticket, open_ticket

__all__ = [
    "HINT_LASTS",
    "announce_maintenance",
    "answer_ticket",
    "ask_operator",
    "cancel_maintenance",
    "close_ticket",
    "deliver",
    "deliver_due",
    "finish_maintenance",
    "how_many",
    "open_incident",
    "open_ticket",
    "plan_maintenance",
    "remind_of_maintenance",
    "reschedule_maintenance",
    "resolve_incident",
    "sms_operator",
    "start_maintenance",
    "sweep",
    "tell",
    "tidy",
    "update_incident",
]
