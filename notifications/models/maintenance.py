"""Work that we announce before it begins."""

import datetime as dt
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.tongue import in_our_words

from .trouble import ForbiddenStep, Trouble, TroubleQuerySet, Update, named


class MaintenanceQuerySet(TroubleQuerySet):
    def announced(self) -> Self:
        """What others may read of: no longer a plan of ours alone."""
        return self.exclude(announced_at=None)

    def coming(self) -> Self:
        """Under way, or announced for a window that is not over."""
        awaited = models.Q(status=Maintenance.Status.ANNOUNCED, ends_at__gt=timezone.now())
        return self.filter(awaited | models.Q(status=Maintenance.Status.STARTED))

    def to_remind_of(self) -> Self:
        """By the database's clock: what starts within its time of reminding, and was not reminded of."""
        soon = models.ExpressionWrapper(models.F("starts_at") - models.F("remind_before"), models.DateTimeField())
        rows = self.filter(status=Maintenance.Status.ANNOUNCED, reminded_at=None, starts_at__gt=Now())
        return rows.annotate(remind_at=soon).filter(remind_at__lte=Now())

    def between(self, first: dt.datetime, end: dt.datetime) -> Self:
        return self.filter(starts_at__lt=end, ends_at__gt=first)


class Maintenance(Trouble):
    """Work that we announce before it begins."""

    class Status(models.TextChoices):
        PLANNED = "planned", _("Being planned")
        ANNOUNCED = "announced", _("Announced")
        STARTED = "started", _("Under way")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")

    NEXT: ClassVar[dict[Status, set[Status]]] = {
        Status.PLANNED: {Status.ANNOUNCED, Status.CANCELLED},
        Status.ANNOUNCED: {Status.STARTED, Status.CANCELLED},
        Status.STARTED: {Status.DONE},
        Status.DONE: set(),
        Status.CANCELLED: set(),
    }
    TONE: ClassVar[dict[Status, str]] = {
        Status.PLANNED: "off",
        Status.ANNOUNCED: "info",
        Status.STARTED: "wait",
        Status.DONE: "ok",
        Status.CANCELLED: "off",
    }
    OVER = (Status.DONE, Status.CANCELLED)

    status = models.CharField(_("status"), max_length=9, choices=Status.choices, default=Status.PLANNED)
    about_fa = models.TextField(_("what will be done, in Persian"), max_length=2000)
    about_en = models.TextField(_("what will be done, in English"), max_length=2000)
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"))
    remind_before = models.DurationField(_("remind before"), default=dt.timedelta(hours=24))
    planned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.RESTRICT, related_name="+", verbose_name=_("planned by"), editable=False
    )
    announced_at = models.DateTimeField(_("announced at"), null=True, editable=False)
    reminded_at = models.DateTimeField(_("reminded at"), null=True, editable=False)
    # How often its window was changed after the first: calendars know a newer entry by it (RFC 5545 §3.8.7.4).
    sequence = models.PositiveSmallIntegerField(_("changes"), default=0, editable=False)

    objects = MaintenanceQuerySet.as_manager()

    class Meta:
        verbose_name = _("maintenance")
        verbose_name_plural = _("maintenances")
        ordering = ["-starts_at", "-id"]
        indexes = [models.Index(fields=["-starts_at"], name="notifications_maintenance_at")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="notifications_maintenance_ends_later"
            ),
            models.CheckConstraint(
                condition=models.Q(remind_before__gte=dt.timedelta(0)), name="notifications_maintenance_reminds_before"
            ),
        ]

    @property
    def title(self) -> str:
        return gettext("Maintenance: %(components)s") % {"components": named(self.shown_components)}

    @property
    def about(self) -> str:
        return in_our_words(self, "about")

    @property
    def began(self) -> dt.datetime:
        return self.starts_at

    @property
    def ended(self) -> dt.datetime | None:
        return self.ends_at

    def announce(self, by: Any) -> bool:
        return self._move_to(self.Status.ANNOUNCED, by=by, announced_at=timezone.now())

    def start(self, by: Any) -> bool:
        return self._move_to(self.Status.STARTED, by=by)

    def finish(self, by: Any, text_fa: str, text_en: str) -> bool:
        return self._move_to(self.Status.DONE, by=by, text_fa=text_fa, text_en=text_en)

    def cancel(self, by: Any, text_fa: str, text_en: str) -> bool:
        self.hold()  # a cancelled entry is a newer one to a calendar
        words = {"text_fa": text_fa, "text_en": text_en}
        return self._move_to(self.Status.CANCELLED, by=by, sequence=self.sequence + 1, **words)

    def move_window(self, starts_at: dt.datetime, ends_at: dt.datetime, by: Any, text_fa: str, text_en: str) -> bool:
        """Another window, before it began; False when it is that one already."""
        self.hold()
        if self.status not in (self.Status.PLANNED, self.Status.ANNOUNCED):
            raise ForbiddenStep(f"{self.source} is {self.status}: its window stays")
        if (self.starts_at, self.ends_at) == (starts_at, ends_at):
            return False
        self.change(starts_at=starts_at, ends_at=ends_at, reminded_at=None, sequence=self.sequence + 1)
        self.add_update(by, text_fa, text_en)
        return True

    def remind(self) -> bool:
        """Whether it is this call that reminds."""
        waiting = type(self).objects.to_remind_of().filter(pk=self.pk)
        return type(self).objects.filter(pk__in=waiting.values("pk"), reminded_at=None).update(reminded_at=Now()) == 1


class MaintenanceUpdate(Update):
    maintenance = models.ForeignKey(Maintenance, models.PROTECT, related_name="updates", verbose_name=_("maintenance"))
    now = models.CharField(_("status"), max_length=9, choices=Maintenance.Status.choices)

    class Meta(Update.Meta):
        verbose_name = _("update of a maintenance")
        verbose_name_plural = _("updates of maintenances")

    @property
    def tone(self) -> str:
        return Maintenance.TONE[Maintenance.Status(self.now)]
