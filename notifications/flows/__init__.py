"""Stories of this room: tell a customer something, deliver it, learn what became of it, talk in tickets, and call."""

from .bounces import lift_suppression, read_bounces
from .calls import (
    CannotCall,
    approve_call,
    ask_for_call,
    cancel_call,
    follow_voice_calls,
    record_outcome,
    refuse_call,
    start_voice_call,
)
from .delivering import HINT_LASTS, deliver, deliver_due, drain, hold_before, sweep, tidy
from .paying import look_at_credit
from .preferences import change_preferences, send_digests
from .receipts import ask_operator, hint
from .telling import tell
from .tickets import answer_ticket, close_ticket, open_ticket

__all__ = [
    "HINT_LASTS",
    "CannotCall",
    "answer_ticket",
    "approve_call",
    "ask_for_call",
    "ask_operator",
    "cancel_call",
    "change_preferences",
    "close_ticket",
    "deliver",
    "deliver_due",
    "drain",
    "follow_voice_calls",
    "hint",
    "hold_before",
    "lift_suppression",
    "look_at_credit",
    "open_ticket",
    "read_bounces",
    "record_outcome",
    "refuse_call",
    "send_digests",
    "start_voice_call",
    "sweep",
    "tell",
    "tidy",
]
