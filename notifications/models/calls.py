"""When we call somebody: a task for two people, for one of few reasons, and what came of it."""

import uuid
from collections.abc import Collection
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.sealed.fields import SealedTextField
from portal.sealed.index import SealedModel, SealedQuerySet

from .outbox import Purpose
from .tickets import Ticket


class CallQuerySet(SealedQuerySet):
    def visible_to(self, customer: Any, purposes: Collection[str] | None = None) -> Self:
        """Calls that took place; `purposes` are those that the reader's role is for, None for all."""
        own = self.filter(customer=customer, status__in=CallTask.OVER)
        if purposes is None:
            return own
        return own.filter(reason__in=[reason for reason, purpose in CallTask.PURPOSE.items() if purpose in purposes])


class CallTask(SealedModel):
    """Nobody calls a customer alone: one asks, a colleague agrees, and what came of it is written down."""

    class Reason(models.TextChoices):
        """The special circumstances of the policy; the database accepts no other reason."""

        SECURITY_BREACH = "security_breach", _("Somebody else may be in the account or in a service")
        SERVICE_DOWN = "service_down", _("A service is down")
        DATA_AT_RISK = "data_at_risk", _("Data may be lost")
        PAYMENT_PROBLEM = "payment_problem", _("A payment has gone wrong and a service is about to stop")
        CUSTOMER_ASKED = "customer_asked", _("A call was asked for in a ticket")
        LEGAL_DEADLINE = "legal_deadline", _("The law sets a time that is about to run out")

    class Number(models.TextChoices):
        MOBILE = "mobile", _("Mobile")
        LANDLINE = "landline", _("Landline")

    class Status(models.TextChoices):
        ASKED = "asked", _("Waits for a second person")
        APPROVED = "approved", _("To be called")
        MADE = "made", _("Called")
        NOT_REACHED = "not_reached", _("Called, not reached")
        CANCELLED = "cancelled", _("Not needed any more")
        REFUSED = "refused", _("Refused")

    class Outcome(models.TextChoices):
        SPOKEN = "spoken", _("We spoke")
        HEARD = "heard", _("The spoken message was taken")
        NO_ANSWER = "no_answer", _("Nobody answered")
        UNREACHABLE = "unreachable", _("The number could not be reached")
        WRONG_NUMBER = "wrong_number", _("Somebody else has this number")

    NEXT: ClassVar[dict[Status, set[Status]]] = {
        Status.ASKED: {Status.APPROVED, Status.REFUSED, Status.CANCELLED},
        Status.APPROVED: {Status.MADE, Status.NOT_REACHED, Status.CANCELLED},
        Status.MADE: set(),
        Status.NOT_REACHED: set(),
        Status.CANCELLED: set(),
        Status.REFUSED: set(),
    }
    TONE: ClassVar[dict[Status, str]] = {
        Status.ASKED: "wait",
        Status.APPROVED: "wait",
        Status.MADE: "ok",
        Status.NOT_REACHED: "bad",
        Status.CANCELLED: "off",
        Status.REFUSED: "off",
    }
    OVER = (Status.MADE, Status.NOT_REACHED)
    REACHED = (Outcome.SPOKEN, Outcome.HEARD)
    # Whose business in a company a call is, by the purpose of a message about the same.
    PURPOSE: ClassVar[dict[Reason, Purpose]] = {
        Reason.SECURITY_BREACH: Purpose.SECURITY,
        Reason.SERVICE_DOWN: Purpose.SERVICE,
        Reason.DATA_AT_RISK: Purpose.SERVICE,
        Reason.PAYMENT_PROBLEM: Purpose.MONEY,
        Reason.CUSTOMER_ASKED: Purpose.TICKET,
        Reason.LEGAL_DEADLINE: Purpose.LEGAL,
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="calls", verbose_name=_("customer")
    )
    number = models.CharField(_("number"), max_length=8, choices=Number.choices)
    reason = models.CharField(_("reason"), max_length=16, choices=Reason.choices)
    ticket = models.ForeignKey(
        Ticket, models.RESTRICT, null=True, related_name="calls", verbose_name=_("ticket in which it was asked for")
    )
    why = SealedTextField(_("what has happened"), null=True)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.ASKED)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices, blank=True)
    note = SealedTextField(_("note"), null=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked for by")
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("approved by")
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("called by")
    )
    asked_at = models.DateTimeField(_("asked for at"), default=timezone.now, editable=False)
    approved_at = models.DateTimeField(_("approved at"), null=True, editable=False)
    made_at = models.DateTimeField(_("called at"), null=True, editable=False)

    objects = CallQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        ordering = ["-asked_at", "-id"]
        permissions = [
            ("ask_call", _("Can ask for a call")),
            ("approve_call", _("Can approve or refuse a call that a colleague asked for")),
            ("make_call", _("Can make an approved call and write down what came of it")),
        ]
        indexes = [models.Index(fields=["customer", "-made_at"], name="notifications_call_of")]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    reason__in=(
                        *("security_breach", "service_down", "data_at_risk"),
                        *("payment_problem", "customer_asked", "legal_deadline"),
                    )
                ),
                name="notifications_call_reason_is_special",
            ),
            models.CheckConstraint(
                condition=Q(number__in=("mobile", "landline")), name="notifications_call_number_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(reason="customer_asked") | Q(ticket__isnull=False),
                name="notifications_call_asked_for_in_a_ticket",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None, approved_at=None)
                | (Q(approved_by__isnull=False, approved_at__isnull=False) & ~Q(approved_by=F("asked_by"))),
                name="notifications_call_takes_two",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=("approved", "made", "not_reached")) | Q(approved_by__isnull=False),
                name="notifications_call_never_unapproved",
            ),
            models.CheckConstraint(
                condition=(
                    Q(status="made", outcome__in=("spoken", "heard"))
                    | Q(status="not_reached", outcome__in=("no_answer", "unreachable", "wrong_number"))
                )
                & Q(made_by__isnull=False, made_at__isnull=False)
                | (~Q(status__in=("made", "not_reached")) & Q(outcome="", made_by=None, made_at=None)),
                name="notifications_call_made_has_its_outcome",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)[:8]

    @property
    def tone(self) -> str:
        return self.TONE[self.Status(self.status)]

    def _move_to(self, status: Status, by: Any, **changes: Any) -> bool:
        """Under a row lock, leaving an event. False when already there; ValueError when `NEXT` does not allow it."""
        with transaction.atomic():
            fresh = type(self).objects.select_for_update().only("status").get(pk=self.pk)
            if fresh.status == status:
                return False
            if status not in self.NEXT[self.Status(fresh.status)]:
                raise ValueError(f"call: {fresh.status} → {status} is not allowed")
            for field, value in {"status": status, **changes}.items():
                setattr(self, field, value)
            self.save(update_fields=["status", *changes])
            self.events.create(step=status, by=by)
        return True

    def approve(self, by: Any) -> bool:
        return self._move_to(self.Status.APPROVED, by, approved_by=by, approved_at=timezone.now())

    def refuse(self, by: Any) -> bool:
        return self._move_to(self.Status.REFUSED, by)

    def cancel(self, by: Any) -> bool:
        return self._move_to(self.Status.CANCELLED, by)

    def end(self, by: Any, outcome: str, note: str | None = None) -> bool:
        """It took place."""
        status = self.Status.MADE if outcome in self.REACHED else self.Status.NOT_REACHED
        return self._move_to(status, by, outcome=outcome, note=note, made_by=by, made_at=timezone.now())


class CallEvent(models.Model):
    """One step of a call, and who took it; never changed (a trigger of the database sees to it)."""

    task = models.ForeignKey(CallTask, models.CASCADE, related_name="events", verbose_name=_("call"))
    at = models.DateTimeField(_("at"), default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by"))
    step = models.CharField(_("step"), max_length=20)  # a status, or "voice_" and one of the voice call
    code = models.CharField(_("answer"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("step of a call")
        verbose_name_plural = _("steps of calls")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.step
