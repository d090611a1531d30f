"""Stories of this room: tell a customer something, deliver it, learn what became of it, and talk in tickets."""

from .delivering import HINT_LASTS, deliver, deliver_due, sms_operator, sweep, tidy
from .receipts import ask_operator
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
    "open_ticket",
    "propose_wording",
    "publish_wording",
    "reject_wording",
    "ship_wordings",
    "sms_operator",
    "sweep",
    "tell",
    "tidy",
]
