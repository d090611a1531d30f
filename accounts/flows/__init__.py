"""Stories of a customer's identity: fill it in, prove it, look at it, change where we reach you, act for a company."""

from accounts.flows.company import (
    CannotInvite,
    accept_invitation,
    change_role,
    correct_company,
    end_membership,
    forget_invitations,
    invite,
    is_for,
    register_company,
)
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
    "CannotInvite",
    "accept_invitation",
    "ask_for_photo_id_again",
    "change_role",
    "contact_changed",
    "correct_company",
    "end_membership",
    "end_sessions",
    "forget_contact_changes",
    "forget_invitations",
    "forget_unfinished",
    "hand_over",
    "invite",
    "is_for",
    "lift_suspension",
    "look_at_photo",
    "make_way",
    "register_company",
    "reveal",
    "review_photo_id",
    "sessions_ended",
    "submit_photo_id",
    "suspend",
    "tidy_photo_ids",
    "undo_contact_change",
]
