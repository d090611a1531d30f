"""Stories of this room: tell a customer something, deliver it, learn what became of it, and talk in tickets."""

from .delivering import HINT_LASTS, deliver, deliver_due, sms_operator, sweep, tidy
from .receipts import ask_operator
from .telling import tell
from .tickets import answer_ticket, close_ticket, open_ticket

__all__ = [
    "HINT_LASTS",
    "answer_ticket",
    "ask_operator",
    "close_ticket",
    "deliver",
    "deliver_due",
    "open_ticket",
    "sms_operator",
    "sweep",
    "tell",
    "tidy",
]
