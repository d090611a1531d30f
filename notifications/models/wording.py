"""The words of our messages: each version final once it was proposed, the one published last in force."""

import hashlib
import time
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class WordingQuerySet(models.QuerySet["Wording"]):
    def of(self, message: str, language: str) -> Self:
        return self.filter(message=message, language=language)

    def open(self) -> Self:
        """Those that are still being written, or wait for somebody's decision."""
        return self.filter(status__in=Wording.OPEN)

    def in_force(self) -> Self:
        """One of each message and language: what was published last."""
        newest = ("message", "language", "-decided_at", "-number")
        return self.filter(status=Wording.Status.PUBLISHED).order_by(*newest).distinct("message", "language")


class Wording(models.Model):
    """One version of one message in one language, by all channels."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Being written")
        PROPOSED = "proposed", _("Waits for a decision")
        PUBLISHED = "published", _("Published")
        REJECTED = "rejected", _("Not taken")

    class Source(models.TextChoices):
        SHIPPED = "shipped", _("came with the release")
        EDITED = "edited", _("written by our staff")

    NEXT: ClassVar[dict[Status, set[Status]]] = {
        Status.DRAFT: {Status.PROPOSED, Status.REJECTED},
        Status.PROPOSED: {Status.PUBLISHED, Status.REJECTED},
        Status.PUBLISHED: set(),
        Status.REJECTED: set(),
    }
    TONE: ClassVar[dict[Status, str]] = {
        Status.DRAFT: "info",
        Status.PROPOSED: "wait",
        Status.PUBLISHED: "ok",
        Status.REJECTED: "off",
    }
    OPEN = (Status.DRAFT, Status.PROPOSED)

    message = models.CharField(_("message"), max_length=40)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    number = models.PositiveIntegerField(_("version"))
    source = models.CharField(_("source"), max_length=8, choices=Source.choices)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.DRAFT)
    subject = models.CharField(_("subject"), max_length=1000)
    text = models.TextField(_("e-mail"), blank=True)
    sms = models.TextField(_("SMS"), blank=True)
    sha256 = models.CharField(_("SHA-256 of the words"), max_length=64, editable=False)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("proposed by")
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by")
    )
    made_at = models.DateTimeField(_("written at"), db_default=Now())
    decided_at = models.DateTimeField(_("decided at"), null=True)
    reason = models.CharField(_("why not"), max_length=300, blank=True)

    objects = WordingQuerySet.as_manager()

    class Meta:
        verbose_name = _("wording of a message")
        verbose_name_plural = _("wordings of messages")
        ordering = ["message", "language", "-number"]
        default_permissions = ("view",)
        permissions = [
            ("edit_wording", "Can write and propose the words of messages"),
            ("publish_wording", "Can decide on proposed words of messages"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["message", "language", "number"], name="notifications_wording_number_once"),
            models.UniqueConstraint(
                fields=["message", "language", "source"],
                condition=Q(status__in=("draft", "proposed")),
                name="notifications_wording_one_open",
            ),
            models.CheckConstraint(
                condition=Q(status__in=("draft", "proposed", "published", "rejected")),
                name="notifications_wording_status_is_known",
            ),
            # The release proposes its own words, and needs nobody to decide unless staff had published others.
            models.CheckConstraint(
                condition=Q(source="shipped", proposed_by=None) & ~Q(status="draft")
                | Q(source="edited", proposed_by__isnull=False),
                name="notifications_wording_somebody_proposed_it",
            ),
            models.CheckConstraint(
                condition=~Q(source="edited", status="published")
                | Q(decided_by__isnull=False) & ~Q(decided_by=F("proposed_by")),
                name="notifications_wording_takes_two",
            ),
            models.CheckConstraint(
                condition=Q(status__in=("draft", "proposed"), decided_at=None)
                | Q(status__in=("published", "rejected"), decided_at__isnull=False),
                name="notifications_wording_decided_at",
            ),
            models.CheckConstraint(
                condition=~Q(status="rejected") | ~Q(reason=""), name="notifications_wording_rejected_with_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message} {self.language} {self.number}"

    @property
    def tone(self) -> str:
        return self.TONE[self.Status(self.status)]

    @property
    def is_shipped(self) -> bool:
        return self.source == self.Source.SHIPPED

    @property
    def direction(self) -> str:
        return "rtl" if self.language == "fa" else "ltr"

    def write(self, by: Any, texts: tuple[str, str, str]) -> bool:
        """Other words for a draft; who wrote last is who proposes. False when it is a draft no more."""
        with transaction.atomic():
            if type(self).objects.select_for_update().get(pk=self.pk).status != self.Status.DRAFT:
                return False
            self.subject, self.text, self.sms = texts
            self.sha256, self.proposed_by = hash_of(*texts), by
            self.save(update_fields=["subject", "text", "sms", "sha256", "proposed_by"])
        return True

    def propose(self, by: Any) -> bool:
        return self._move_to(self.Status.PROPOSED, proposed_by=by)

    def publish(self, by: Any) -> bool:
        if done := self._move_to(self.Status.PUBLISHED, decided_by=by, decided_at=Now()):
            transaction.on_commit(in_force.forget)
        return done

    def reject(self, by: Any, reason: str) -> bool:
        return self._move_to(self.Status.REJECTED, decided_by=by, decided_at=Now(), reason=reason)

    def _move_to(self, status: Status, **changes: Any) -> bool:
        """Under a row lock. False when it stands there already."""
        with transaction.atomic():
            fresh = type(self).objects.select_for_update().get(pk=self.pk)
            if fresh.status == status:
                return False
            if status not in self.NEXT[self.Status(fresh.status)]:
                raise ValueError(f"wording: {fresh.status} → {status} is not allowed")
            type(self).objects.filter(pk=self.pk).update(status=status, **changes)
        self.refresh_from_db()
        return True


def hash_of(subject: str, text: str, sms: str) -> str:
    """SHA-256 of the words in UTF-8, parted by U+001F, as 64 hex digits; the database checks it."""
    return hashlib.sha256("\x1f".join((subject, text, sms)).encode()).hexdigest()


class InForce:
    """The words that count, the same for everybody: read once in a while by each process, never for one page."""

    LASTS = 10.0  # seconds after which other processes see what was published

    def __init__(self) -> None:
        self._newest: dict[tuple[str, str], Wording] = {}
        self._published: dict[int, Wording] = {}  # final, so kept for good
        self._until = 0.0

    def of(self, message: str, language: str) -> Wording | None:
        if time.monotonic() >= self._until:
            self._newest = {(row.message, row.language): row for row in Wording.objects.in_force()}
            self._until = time.monotonic() + self.LASTS
        return self._newest.get((message, language))

    def pk_of(self, message: str, language: str) -> int | None:
        wording = self.of(message, language)
        return wording.pk if wording else None

    def version(self, pk: int) -> Wording:
        """One that was published at some time."""
        if pk not in self._published:
            self._published[pk] = Wording.objects.get(pk=pk)
        return self._published[pk]

    def forget(self) -> None:
        self._until = 0.0


in_force = InForce()
