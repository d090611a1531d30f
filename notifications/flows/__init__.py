"""Stories of this room: tell a customer something, deliver it, learn what became of it, talk in tickets, and call."""

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
from .delivering import HINT_LASTS, deliver, deliver_due, sms_operator, sweep, tidy
from .preferences import change_preferences, send_digests
from .receipts import ask_operator
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
    "follow_voice_calls",
    "open_ticket",
    "record_outcome",
    "refuse_call",
    "send_digests",
    "sms_operator",
    "start_voice_call",
    "sweep",
    "tell",
    "tidy",
]
