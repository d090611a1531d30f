"""Stories of a customer's identity: fill it in, prove it, look at it, change where we reach you."""

from accounts.flows.contact import forget_unfinished, make_way, tell_old_email, tell_old_mobile
from accounts.flows.export import hand_over
from accounts.flows.looks import reveal
from accounts.flows.photo_id import (
    ask_for_photo_id_again,
    look_at_photo,
    review_photo_id,
    submit_photo_id,
    tidy_photo_ids,
)

__all__ = [
    "ask_for_photo_id_again",
    "forget_unfinished",
    "hand_over",
    "look_at_photo",
    "make_way",
    "reveal",
    "review_photo_id",
    "submit_photo_id",
    "tell_old_email",
    "tell_old_mobile",
    "tidy_photo_ids",
]
