"""Where an attempt to pay may stand, where it may go from there, and what each place means to us."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    NEW = "new", _("Being prepared")
    SENT = "sent", _("At the bank")
    CANCELLED = "cancelled", _("Came back unpaid")
    VERIFYING = "verifying", _("Being checked")
    UNKNOWN = "unknown", _("Waiting for the bank's answer")
    UNSETTLED = "unsettled", _("Paid, being transferred to us")
    PAID = "paid", _("Paid")
    FAILED = "failed", _("Not paid")
    EXPIRED = "expired", _("Did not come back from the bank")
    NOT_WANTED = "not_wanted", _("Not collected")
    SUSPECT = "suspect", _("Held for a person to look at")
    UNAPPLIED = "unapplied", _("Taken, but not applied")
    REVERSING = "reversing", _("Being given back")
    REVERSED = "reversed", _("Given back")


# A return without success is soft: a browser may repeat it, or send it before the real one. The same goes for
# an attempt that expired: if its callback comes after all, the bank's answer to verify decides.
NEXT: dict[Status, set[Status]] = {
    Status.NEW: {Status.SENT, Status.FAILED, Status.EXPIRED},
    Status.SENT: {
        Status.VERIFYING,
        Status.CANCELLED,
        Status.FAILED,
        Status.EXPIRED,
        Status.NOT_WANTED,
        Status.SUSPECT,
    },
    Status.CANCELLED: {Status.VERIFYING, Status.FAILED, Status.EXPIRED, Status.NOT_WANTED, Status.SUSPECT},
    Status.EXPIRED: {Status.VERIFYING, Status.NOT_WANTED, Status.SUSPECT},
    # Back to where it was: we asked of our own accord, and the payer may still be at the bank.
    Status.VERIFYING: {
        Status.SENT,
        Status.CANCELLED,
        Status.UNSETTLED,
        Status.PAID,
        Status.UNAPPLIED,
        Status.FAILED,
        Status.UNKNOWN,
        Status.NOT_WANTED,
        Status.SUSPECT,
    },
    Status.UNKNOWN: {Status.UNSETTLED, Status.PAID, Status.UNAPPLIED, Status.FAILED, Status.SUSPECT},
    Status.UNSETTLED: {Status.PAID},
    Status.PAID: {Status.REVERSING},
    Status.FAILED: set(),
    Status.NOT_WANTED: set(),
    # A forged callback may come before the real one.
    Status.SUSPECT: {Status.VERIFYING, Status.NOT_WANTED},
    Status.UNAPPLIED: {Status.REVERSING, Status.UNSETTLED, Status.PAID},
    Status.REVERSING: {Status.REVERSED, Status.UNAPPLIED},
    Status.REVERSED: set(),
}
TONE: dict[Status, str] = {
    Status.NEW: "wait",
    Status.SENT: "wait",
    Status.CANCELLED: "off",
    Status.VERIFYING: "wait",
    Status.UNKNOWN: "wait",
    Status.UNSETTLED: "ok",
    Status.PAID: "ok",
    Status.FAILED: "bad",
    Status.EXPIRED: "off",
    Status.NOT_WANTED: "off",
    Status.SUSPECT: "bad",
    Status.UNAPPLIED: "bad",
    Status.REVERSING: "wait",
    Status.REVERSED: "off",
}
# The bank has been, or is about to be, asked for the money, and has not said what became of it.
UNANSWERED: set[Status] = {Status.VERIFYING, Status.UNKNOWN}
# A call to the bank is owed.
WAITING: set[Status] = UNANSWERED | {Status.UNSETTLED, Status.REVERSING}
# The money is ours, and in the ledger.
RECEIVED: set[Status] = {Status.UNSETTLED, Status.PAID}
# What a callback may still begin with.
OPEN: set[Status] = {Status.SENT, Status.CANCELLED, Status.EXPIRED, Status.SUSPECT}
# Nothing more is asked of the bank, unless a person wants it.
OVER: set[Status] = {
    Status.PAID,
    Status.FAILED,
    Status.CANCELLED,
    Status.EXPIRED,
    Status.NOT_WANTED,
    Status.REVERSED,
}
