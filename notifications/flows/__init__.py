"""Stories of this room: tell a customer something, deliver it, learn what became of it, and talk in tickets."""

from .bounces import lift_suppression, read_bounces
from .delivering import HINT_LASTS, deliver, deliver_due, drain, hold_before, sweep, tidy
from .paying import look_at_credit
from .receipts import ask_operator, hint
from .telling import tell
from .tickets import answer_ticket, close_ticket, open_ticket
from .wordings import NotFit, OneWaits, draft_wording, propose_wording, publish_wording, reject_wording, ship_wordings

__all__ = [
    "HINT_LASTS",
    "NotFit",
    "OneWaits",
    "answer_ticket",
    "ask_operator",
    "close_ticket",
    "deliver",
    "deliver_due",
    "draft_wording",
    "drain",
    "hint",
    "hold_before",
    "lift_suppression",
    "look_at_credit",
    "open_ticket",
    "propose_wording",
    "publish_wording",
    "read_bounces",
    "reject_wording",
    "ship_wordings",
    "sweep",
    "tell",
    "tidy",
]
