"""Stories of this room: tell a customer something, deliver it, learn what became of it, and talk in tickets."""

from .bounces import lift_suppression, read_bounces
from .delivering import HINT_LASTS, deliver, deliver_due, drain, hold_before, sweep, tidy
from .paying import look_at_credit
from .receipts import ask_operator, hint
from .telling import tell
from .tickets import answer_ticket, close_ticket, open_ticket

__all__ = [
    "HINT_LASTS",
    "answer_ticket",
    "ask_operator",
    "close_ticket",
    "deliver",
    "deliver_due",
    "drain",
    "hint",
    "hold_before",
    "lift_suppression",
    "look_at_credit",
    "open_ticket",
    "read_bounces",
    "sweep",
    "tell",
    "tidy",
]
