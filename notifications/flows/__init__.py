"""Stories of this room: tell a customer something, deliver it, learn what became of it, talk in tickets, and call."""

from .affected import how_many
from .bounces import lift_suppression, read_bounces
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
from .paying import look_at_credit
from .preferences import change_preferences, send_digests
from .receipts import ask_operator, hint
from .resending import CannotResend, send_again, why_not
from .telling import tell
from .tickets import answer_ticket, close_ticket, open_ticket
from .wordings import NotFit, OneWaits, draft_wording, propose_wording, publish_wording, reject_wording, ship_wordings

__all__ = [
    "HINT_LASTS",
    "CannotCall",
    "CannotResend",
    "NotAllowed",
    "NotFit",
    "OneWaits",
    "announce_maintenance",
    "answer_ticket",
    "approve_broadcast",
    "approve_call",
    "ask_for_call",
    "ask_operator",
    "cancel_call",
    "cancel_maintenance",
    "change_preferences",
    "close_ticket",
    "deliver",
    "deliver_due",
    "draft_wording",
    "drain",
    "fan_out",
    "fan_out_due",
    "finish_maintenance",
    "follow_voice_calls",
    "hint",
    "hold_before",
    "how_many",
    "kill_broadcast",
    "lift_suppression",
    "look_at_credit",
    "open_incident",
    "open_ticket",
    "pause_broadcast",
    "plan_maintenance",
    "prepare_broadcast",
    "preview_broadcast",
    "propose_wording",
    "publish_wording",
    "read_bounces",
    "record_outcome",
    "refuse_call",
    "reject_wording",
    "remind_of_maintenance",
    "reschedule_maintenance",
    "resolve_incident",
    "resume_broadcast",
    "send_again",
    "send_digests",
    "ship_wordings",
    "start_maintenance",
    "start_voice_call",
    "sweep",
    "tell",
    "tidy",
    "update_incident",
    "why_not",
]
