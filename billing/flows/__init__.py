"""Stories of money: order, go to the bank, come back, be believed only when the bank says so; and give back."""

from .orders import CannotCancel, cancel_order, cancel_paid_order, place_order, use_credit
from .payments import (
    CannotPay,
    forget_tokens,
    look_again,
    receive_callback,
    reconcile,
    start_payment,
    verify,
)
from .refunds import (
    CannotGiveBack,
    agree_to_refund,
    ask_for_refund,
    can_reverse,
    dismiss,
    finish_refund,
    give_back,
    keep_as_credit,
    refundable,
    refuse_refund,
)

__all__ = [
    "CannotCancel",
    "CannotGiveBack",
    "CannotPay",
    "agree_to_refund",
    "ask_for_refund",
    "can_reverse",
    "cancel_order",
    "cancel_paid_order",
    "dismiss",
    "finish_refund",
    "forget_tokens",
    "give_back",
    "keep_as_credit",
    "look_again",
    "place_order",
    "receive_callback",
    "reconcile",
    "refundable",
    "refuse_refund",
    "start_payment",
    "use_credit",
    "verify",
]
