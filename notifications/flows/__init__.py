"""Stories of this room: tell a customer something, deliver it, learn what became of it, and talk in tickets."""

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
from .delivering import HINT_LASTS, deliver, deliver_due, drain, hold_before, sweep, tidy
from .paying import look_at_credit
from .receipts import ask_operator
from .telling import tell
from .tickets import answer_ticket, close_ticket, open_ticket

__all__ = [
    "HINT_LASTS",
    "NotAllowed",
    "answer_ticket",
    "approve_broadcast",
    "ask_operator",
    "close_ticket",
    "deliver",
    "deliver_due",
    "drain",
    "fan_out",
    "fan_out_due",
    "hold_before",
    "kill_broadcast",
    "look_at_credit",
    "open_ticket",
    "pause_broadcast",
    "prepare_broadcast",
    "preview_broadcast",
    "resume_broadcast",
    "sweep",
    "tell",
    "tidy",
]
