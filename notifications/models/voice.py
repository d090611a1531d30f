"""A call that the operator makes for us, with a spoken message: handed over once."""

import datetime as dt
from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .calls import CallTask
from .outbox import new_local_ref


class VoiceQuerySet(models.QuerySet["VoiceCall"]):
    def let_go(self) -> "VoiceQuerySet":
        """Those whose process died while it asked the operator."""
        return self.filter(status=VoiceCall.Status.CALLING, since__lt=Now() - VoiceCall.LEASE)

    def to_look_up(self) -> "VoiceQuerySet":
        return self.filter(status=VoiceCall.Status.UNKNOWN, ask_at__lte=Now())

    def to_ask_about(self) -> "VoiceQuerySet":
        return self.filter(status=VoiceCall.Status.ACCEPTED, ask_at__lte=Now())


class VoiceCall(models.Model):
    """Of an approved call, the one that the operator makes. A trigger of the database refuses any other."""

    class Status(models.TextChoices):
        CALLING = "calling", _("Being handed to the operator")
        UNKNOWN = "unknown", _("Being checked with the operator")
        ACCEPTED = "accepted", _("The operator calls")
        TAKEN = "taken", _("The call was taken")
        NOT_TAKEN = "not_taken", _("The call was not taken")
        FAILED = "failed", _("The operator did not take it")

    NEXT: ClassVar[dict[Status, set[Status]]] = {
        Status.CALLING: {Status.ACCEPTED, Status.UNKNOWN, Status.FAILED},
        # Only what the operator says it has not may be handed over again, and under the same number of ours.
        Status.UNKNOWN: {Status.ACCEPTED, Status.FAILED, Status.NOT_TAKEN},
        Status.ACCEPTED: {Status.TAKEN, Status.NOT_TAKEN},
        Status.TAKEN: set(),
        Status.NOT_TAKEN: set(),
        Status.FAILED: {Status.CALLING},
    }
    TONE: ClassVar[dict[Status, str]] = {
        Status.CALLING: "wait",
        Status.UNKNOWN: "wait",
        Status.ACCEPTED: "info",
        Status.TAKEN: "ok",
        Status.NOT_TAKEN: "bad",
        Status.FAILED: "bad",
    }
    LEASE = dt.timedelta(seconds=40)  # at least twice what a call of the operator can take (channels/kavenegar.py)

    task = models.OneToOneField(
        CallTask, models.CASCADE, primary_key=True, related_name="voice", verbose_name=_("call")
    )
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.CALLING)
    called_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("called by")
    )
    tries = models.PositiveSmallIntegerField(_("tries"), default=1)
    local_ref = models.BigIntegerField(unique=True, default=new_local_ref, editable=False)
    carrier = models.CharField(_("carrier"), max_length=20, blank=True)
    provider_ref = models.CharField(_("provider's reference"), max_length=120, blank=True)
    last_code = models.CharField(_("last answer"), max_length=40, blank=True)
    since = models.DateTimeField(_("since"), default=timezone.now)
    ask_at = models.DateTimeField(null=True, editable=False)

    objects = VoiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("spoken message")
        verbose_name_plural = _("spoken messages")

    def __str__(self) -> str:
        return str(self.task)

    @property
    def tone(self) -> str:
        return self.TONE[self.Status(self.status)]

    @property
    def is_on_its_way(self) -> bool:
        return self.status in (self.Status.CALLING, self.Status.UNKNOWN, self.Status.ACCEPTED)

    def _move_to(self, status: Status, by: Any = None, *, code: str = "", **changes: Any) -> bool:
        """Under a row lock, leaving an event. False when already there, or when a later try has begun meanwhile."""
        with transaction.atomic():
            fresh = type(self).objects.select_for_update().get(pk=self.pk)
            if fresh.tries != self.tries or fresh.status == status:
                return False
            if status not in self.NEXT[self.Status(fresh.status)]:
                raise ValueError(f"voice call: {fresh.status} → {status} is not allowed")
            for field, value in {"status": status, "last_code": code, "since": Now(), **changes}.items():
                setattr(self, field, value)
            self.save(update_fields=["status", "last_code", "since", *changes])
            self.task.events.create(step=f"voice_{status}", by=by, code=code)
        return True

    @classmethod
    def begin(cls, task: CallTask, by: Any) -> "VoiceCall | None":
        """The row to call by, once; None when it is on its way or over. Under the task's lock."""
        voice = cls.objects.filter(task=task).first()
        if voice is None:
            voice = cls.objects.create(task=task, called_by=by, since=Now())
            task.events.create(step=f"voice_{voice.status}", by=by)
            return voice
        if voice.status != cls.Status.FAILED:
            return None
        return voice if voice._call_again(by) else None

    def _call_again(self, by: Any) -> bool:
        return self._move_to(self.Status.CALLING, by, called_by=by, tries=self.tries + 1)

    def accept(self, carrier: str, ref: str, ask_at: Any) -> bool:
        return self._move_to(self.Status.ACCEPTED, code="ok", carrier=carrier, provider_ref=ref, ask_at=ask_at)

    def doubt(self, code: str, ask_at: Any) -> bool:
        """Nobody knows whether the operator took it."""
        return self._move_to(self.Status.UNKNOWN, code=code, ask_at=ask_at)

    def fail(self, code: str) -> bool:
        """It is certain that the operator has it not."""
        return self._move_to(self.Status.FAILED, code=code, ask_at=None)

    def ask_later(self, ask_at: Any) -> None:
        type(self).objects.filter(pk=self.pk, status=self.status).update(ask_at=ask_at)

    def end(self, code: str, *, taken: bool) -> bool:
        return self._move_to(self.Status.TAKEN if taken else self.Status.NOT_TAKEN, code=code, ask_at=None)
