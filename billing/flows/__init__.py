"""Stories of money: order, go to the bank, come back, be believed only when the bank says so; and give back."""

from billing.settlement_file import BadStatement

from .answers import can_reverse, forget_tokens, look_again, receive_callback, reconcile, verify
from .orders import CannotCancel, cancel_order, cancel_paid_order, place_order
from .payments import CannotPay, start_payment, use_credit
from .refunds import (
    CannotGiveBack,
    agree_to_refund,
    ask_for_refund,
    dismiss,
    finish_refund,
    give_back,
    keep_as_credit,
    refundable,
    refuse_refund,
)
from .statements import CannotBook, Report, book_by_statement, compare, compare_again, import_statement

__all__ = [
    "BadStatement",
    "CannotBook",
    "CannotCancel",
    "CannotGiveBack",
    "CannotPay",
    "Report",
    "agree_to_refund",
    "ask_for_refund",
    "book_by_statement",
    "can_reverse",
    "cancel_order",
    "cancel_paid_order",
    "compare",
    "compare_again",
    "dismiss",
    "finish_refund",
    "forget_tokens",
    "give_back",
    "import_statement",
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
