"""Stories of a customer's identity: fill it in, prove it, look at it, change where we reach you."""

from accounts.flows.contact import (
    contact_changed,
    forget_contact_changes,
    forget_unfinished,
    make_way,
    undo_contact_change,
)
from accounts.flows.export import hand_over
from accounts.flows.looks import reveal
from accounts.flows.photo_id import (
    ask_for_photo_id_again,
    look_at_photo,
    review_photo_id,
    submit_photo_id,
    tidy_photo_ids,
)
from accounts.flows.sessions import end_sessions, sessions_ended
from accounts.flows.suspension import lift_suspension, suspend

__all__ = [
    "ask_for_photo_id_again",
    "contact_changed",
    "end_sessions",
    "forget_contact_changes",
    "forget_unfinished",
    "hand_over",
    "lift_suspension",
    "look_at_photo",
    "make_way",
    "reveal",
    "review_photo_id",
    "sessions_ended",
    "submit_photo_id",
    "suspend",
    "tidy_photo_ids",
    "undo_contact_change",
]
