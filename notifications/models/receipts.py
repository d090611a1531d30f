"""What became of a message after a company took it, and addresses that gave up on us."""

from collections.abc import Sequence
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .outbox import Channel, Delivery, Purpose


class ReceiptManager(models.Manager["Receipt"]):
    def note(self, carrier: str, ref: str, state: str, code: str) -> bool:
        """False when the same was said before."""
        _receipt, is_new = self.get_or_create(carrier=carrier, ref=ref, state=state, defaults={"code": code[:20]})
        return is_new


class Receipt(models.Model):
    """What a company says of one message in the end: written once, never changed (the database sees to it)."""

    class State(models.TextChoices):
        DELIVERED = "delivered", _("Delivered")
        UNDELIVERED = "undelivered", _("Not delivered")
        BLOCKED = "blocked", _("Blocked at the operator")
        HARD = "hard", _("There is no such mailbox")
        SOFT = "soft", _("The mailbox cannot be reached")
        REFUSED = "refused", _("The letter was refused, not the address")

    carrier = models.CharField(_("carrier"), max_length=20)
    ref = models.CharField(_("provider's reference"), max_length=120)
    state = models.CharField(_("state"), max_length=12, choices=State.choices)
    code = models.CharField(_("answer"), max_length=20)
    at = models.DateTimeField(_("at"), db_default=Now())

    objects = ReceiptManager()

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints = [
            models.UniqueConstraint(fields=["carrier", "ref", "state"], name="notifications_receipt_said_once")
        ]

    def __str__(self) -> str:
        return f"{self.carrier} {self.state} {self.code}"


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def open(self) -> Self:
        return self.filter(lifted_at=None)

    def open_of(self, reader: Any) -> Self:
        return self.open().filter(reader=reader)

    def stopping(self, rows: Sequence[Delivery]) -> set[Any]:
        """Keys of those deliveries (with their events) that must not go out, in one query or none."""
        held_back = [row for row in rows if row.reader_id and row.event.purpose not in Suppression.STILL_TRIED]
        if not held_back:
            return set()
        theirs = self.open().filter(reader__in={row.reader_id for row in held_back})
        stopped = set(theirs.values_list("reader_id", "channel"))
        return {row.pk for row in held_back if (row.reader_id, row.channel) in stopped}


class Suppression(models.Model):
    """A reader's address that letters come back from: nothing more is sent there until somebody says that it works."""

    # A code was asked for this moment, and a theft may not go unseen because a mailbox was full for a week.
    STILL_TRIED = (Purpose.CODE, Purpose.SECURITY)

    class Reason(models.TextChoices):
        HARD = "hard", _("There is no such mailbox")
        SOFT = "soft", _("Several letters in a row came back")

    class Lift(models.TextChoices):
        CONFIRMED = "confirmed", _("The address was confirmed again or changed")
        ASKED = "asked", _("Its owner asked to try again")
        WORKS = "works", _("Its owner told us that it works")
        MISTAKE = "mistake", _("The report was wrong")

    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="suppressions", verbose_name=_("reader")
    )
    channel = models.CharField(_("channel"), max_length=5, choices=Channel.choices)
    reason = models.CharField(_("reason"), max_length=4, choices=Reason.choices)
    code = models.CharField(_("answer"), max_length=20)
    at = models.DateTimeField(_("since"), db_default=Now())
    lifted_at = models.DateTimeField(_("lifted at"), null=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("lifted by")
    )
    lifted_why = models.CharField(_("why it was lifted"), max_length=10, choices=Lift.choices, blank=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        verbose_name = _("address that does not work")
        verbose_name_plural = _("addresses that do not work")
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(
                fields=["reader", "channel"],
                condition=models.Q(lifted_at=None),
                name="notifications_suppression_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(lifted_at=None, lifted_why="")
                | models.Q(lifted_at__isnull=False) & ~models.Q(lifted_why=""),
                name="notifications_suppression_lifted_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.reason} {self.code}"
