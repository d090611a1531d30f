"""Money that people give back at the bank, to the card that paid, where the gateway has no call for it any more."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .payments import Payment
from .steps import Event, step


class Refund(models.Model):
    """A task for two: one asks, another one agrees, and the bank's number of the transfer ends it.

    The amount is whole Rials. It left the customer's credit when it was asked for, and comes back if it is refused.
    """

    class Status(models.TextChoices):
        ASKED = "asked", _("Waits for a second person")
        AGREED = "agreed", _("To be given back at the bank")
        DONE = "done", _("Given back")
        REFUSED = "refused", _("Refused")

    class Why(models.TextChoices):
        NOT_APPLIED = "not_applied", _("The money was taken, but no invoice needed it")
        TAKEN_BACK = "taken_back", _("The service was cancelled after it was paid")
        ASKED_FOR = "asked_for", _("The customer asked for the credit")

    NEXT: ClassVar[dict[Status, set[Status]]] = {
        Status.ASKED: {Status.AGREED, Status.REFUSED},
        Status.AGREED: {Status.DONE},
        Status.DONE: set(),
        Status.REFUSED: set(),
    }
    TONE: ClassVar[dict[Status, str]] = {
        Status.ASKED: "wait",
        Status.AGREED: "wait",
        Status.DONE: "ok",
        Status.REFUSED: "off",
    }

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds", verbose_name=_("payment"))
    amount = models.BigIntegerField(_("amount (Rial)"))
    why = models.CharField(_("reason"), max_length=16, choices=Why.choices)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.ASKED)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked for by")
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by")
    )
    bank_reference = models.CharField(_("bank's number of the transfer"), max_length=64, blank=True)
    asked_at = models.DateTimeField(_("asked for at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="billing_refund_amount_positive"),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")), name="billing_refund_takes_two"
            ),
            models.CheckConstraint(
                condition=Q(status="asked") | Q(decided_by__isnull=False), name="billing_refund_decided_by_somebody"
            ),
            models.CheckConstraint(
                condition=~Q(status="done") | ~Q(bank_reference=""), name="billing_refund_done_has_reference"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def tone(self) -> str:
        return self.TONE[self.Status(self.status)]

    def _move_to(self, status: Status, **changes: Any) -> bool:
        return step(self, status, **changes)

    def agree(self, by: Any) -> bool:
        return self._move_to(self.Status.AGREED, decided_by=by)

    def refuse(self, by: Any) -> bool:
        return self._move_to(self.Status.REFUSED, decided_by=by)

    def finish(self, bank_reference: str) -> bool:
        return self._move_to(self.Status.DONE, bank_reference=bank_reference)


class RefundEvent(Event):
    refund = models.ForeignKey(Refund, models.CASCADE, related_name="events", verbose_name=_("refund"))

    class Meta(Event.Meta):
        verbose_name = _("refund event")
        verbose_name_plural = _("refund events")

    @property
    def title(self) -> str:
        return str(Refund.Status(self.now).label)
