"""Something does not work as it should, from the first look until it is over."""

import datetime as dt
from typing import Any, ClassVar, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .trouble import Trouble, TroubleQuerySet, Update, named


class Severity(models.TextChoices):
    LOW = "low", _("Slower than usual")
    MEDIUM = "medium", _("Partly out of order")
    HIGH = "high", _("Out of order")


class IncidentQuerySet(TroubleQuerySet):
    def open(self) -> Self:
        return self.exclude(status=Incident.Status.RESOLVED)

    def between(self, first: dt.datetime, end: dt.datetime) -> Self:
        """Those that were open at any moment from `first` on and before `end`."""
        still = models.Q(resolved_at=None) | models.Q(resolved_at__gt=first)
        return self.filter(still, started_at__lt=end)


class Incident(Trouble):
    """Something does not work as it should."""

    class Status(models.TextChoices):
        OPEN = "open", _("Being looked into")
        IDENTIFIED = "identified", _("Cause found")
        MONITORING = "monitoring", _("Mended and watched")
        RESOLVED = "resolved", _("Over")

    NEXT: ClassVar[dict[Status, set[Status]]] = {
        Status.OPEN: {Status.IDENTIFIED, Status.MONITORING, Status.RESOLVED},
        Status.IDENTIFIED: {Status.MONITORING, Status.RESOLVED},
        Status.MONITORING: {Status.IDENTIFIED, Status.RESOLVED},
        Status.RESOLVED: set(),
    }
    TONE: ClassVar[dict[Status, str]] = {
        Status.OPEN: "bad",
        Status.IDENTIFIED: "wait",
        Status.MONITORING: "info",
        Status.RESOLVED: "ok",
    }
    OVER = (Status.RESOLVED,)

    severity = models.CharField(_("severity"), max_length=6, choices=Severity.choices)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.OPEN)
    started_at = models.DateTimeField(_("started at"), default=timezone.now)
    resolved_at = models.DateTimeField(_("resolved at"), null=True, editable=False)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        ordering = ["-started_at", "-id"]
        indexes = [
            models.Index(fields=["-started_at"], name="notifications_incident_began"),
            models.Index(
                fields=["started_at"], condition=~models.Q(status="resolved"), name="notifications_incident_open"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status="resolved", resolved_at__gte=models.F("started_at"))
                | (~models.Q(status="resolved") & models.Q(resolved_at__isnull=True)),
                name="notifications_incident_resolved_has_time",
            ),
        ]

    @property
    def title(self) -> str:
        return f"{named(self.shown_components)}: {Severity(self.severity).label}"

    @property
    def is_urgent(self) -> bool:
        """Worth waking people for."""
        return self.severity == Severity.HIGH

    @property
    def began(self) -> dt.datetime:
        return self.started_at

    @property
    def ended(self) -> dt.datetime | None:
        return self.resolved_at

    def step(self, status: str, by: Any, text_fa: str, text_en: str) -> bool:
        return self._move_to(status, by=by, text_fa=text_fa, text_en=text_en)

    def resolve(self, by: Any, text_fa: str, text_en: str) -> bool:
        return self._move_to(self.Status.RESOLVED, by=by, text_fa=text_fa, text_en=text_en, resolved_at=timezone.now())


class IncidentUpdate(Update):
    incident = models.ForeignKey(Incident, models.PROTECT, related_name="updates", verbose_name=_("incident"))
    now = models.CharField(_("status"), max_length=10, choices=Incident.Status.choices)

    class Meta(Update.Meta):
        verbose_name = _("update of an incident")
        verbose_name_plural = _("updates of incidents")

    @property
    def tone(self) -> str:
        return Incident.TONE[Incident.Status(self.now)]
