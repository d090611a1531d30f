"""Stories of this room: tell a customer something, deliver it, learn what became of it, and talk in tickets."""

from .affected import how_many
from .broadcasts import (
    NotAllowed,
    approve_broadcast,
    fan_out,
    fan_out_due,
    kill_broadcast,
    pause_broadcast,
    prepare_broadcast,
    preview_broadcast,
    resume_broadcast,
)
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
    "NotAllowed",
    "announce_maintenance",
    "answer_ticket",
    "approve_broadcast",
    "ask_operator",
    "cancel_maintenance",
    "close_ticket",
    "deliver",
    "deliver_due",
    "fan_out",
    "fan_out_due",
    "finish_maintenance",
    "how_many",
    "kill_broadcast",
    "open_incident",
    "open_ticket",
    "pause_broadcast",
    "plan_maintenance",
    "prepare_broadcast",
    "preview_broadcast",
    "remind_of_maintenance",
    "reschedule_maintenance",
    "resolve_incident",
    "resume_broadcast",
    "sms_operator",
    "start_maintenance",
    "sweep",
    "tell",
    "tidy",
    "update_incident",
]
