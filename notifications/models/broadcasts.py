"""What we tell many customers at once, who they were at that moment, and how far it has come."""

from functools import lru_cache
from typing import Any, ClassVar, NamedTuple, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Count, F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .outbox import Channel, Delivery, spoken


class Progress(NamedTuple):
    """Deliveries of one channel, by what came of them."""

    channel: str
    counts: dict[str, int]

    @property
    def all(self) -> int:
        return sum(self.counts.values())


class BroadcastQuerySet(models.QuerySet["Broadcast"]):
    def held(self) -> Self:
        """Nothing of them goes out now."""
        return self.filter(status__in=(Broadcast.Status.PAUSED, Broadcast.Status.KILLED))

    def to_fan_out(self) -> Self:
        return self.filter(status__in=(Broadcast.Status.APPROVED, Broadcast.Status.SENDING))

    def with_unsent(self) -> Self:
        """`unsent`: how many of its deliveries are still to leave."""
        waiting = Delivery.objects.filter(broadcast=models.OuterRef("pk"), status__in=Delivery.UNSENT)
        count = waiting.values("broadcast").annotate(n=Count("*")).values("n")
        return self.annotate(unsent=models.functions.Coalesce(models.Subquery(count), 0))


class Broadcast(models.Model):
    """One notice to many. Nothing of its own is personal: its words are made of what is true for all of them.

    Two people stand behind it: who prepared it and who approved it. An urgent one needs no second person, but only of
    an incident, whose words are the catalogue's. `prepared_by` is NULL where an operator's command prepared it.
    """

    class Reason(models.TextChoices):
        """Why many may be told something. No value for advertising exists, and the database accepts no other."""

        INCIDENT = "incident", _("Disruption of a service")
        MAINTENANCE = "maintenance", _("Maintenance")
        POLICY = "policy", _("New version of the policy")
        LEGAL = "legal", _("Legal notice")

    class Status(models.TextChoices):
        DRAFT = "draft", _("Being prepared")
        READY = "ready", _("Waits for a second person")
        APPROVED = "approved", _("Approved")
        SENDING = "sending", _("Being sent")
        PAUSED = "paused", _("Paused")
        DONE = "done", _("Sent")
        KILLED = "killed", _("Stopped for good")

    class Why(models.TextChoices):
        """Why one was stopped. A closed list, so that nobody's name gets into it."""

        WORDS = "words", _("Its words are wrong")
        AUDIENCE = "audience", _("It goes to the wrong people")
        OVER = "over", _("It is no longer true")
        DOUBLE = "double", _("They were told already")

    NEXT: ClassVar[dict[Status, set[Status]]] = {
        Status.DRAFT: {Status.READY},
        Status.READY: {Status.APPROVED, Status.KILLED},
        Status.APPROVED: {Status.SENDING, Status.PAUSED, Status.KILLED},
        Status.SENDING: {Status.PAUSED, Status.DONE, Status.KILLED},
        Status.PAUSED: {Status.SENDING, Status.KILLED},
        Status.DONE: set(),
        Status.KILLED: set(),
    }
    TONE: ClassVar[dict[Status, str]] = {
        Status.DRAFT: "off",
        Status.READY: "wait",
        Status.APPROVED: "info",
        Status.SENDING: "info",
        Status.PAUSED: "wait",
        Status.DONE: "ok",
        Status.KILLED: "bad",
    }
    RUNNING = (Status.APPROVED, Status.SENDING, Status.PAUSED)

    reason = models.CharField(_("reason"), max_length=12, choices=Reason.choices)
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.DRAFT)
    source = models.CharField(_("about"), max_length=80)  # an opaque reference, such as incident:12
    message = models.CharField(_("message"), max_length=40)
    # Plain values, or {"fa": …, "en": …} where they differ by language.
    context = models.JSONField(default=dict, editable=False)
    is_urgent = models.BooleanField(_("urgent"), default=False)
    heeds_quiet_hours = models.BooleanField(_("waits for the morning"), default=True)

    prepared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("prepared by")
    )
    prepared_at = models.DateTimeField(_("prepared at"), default=timezone.now, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("approved by")
    )

    # Frozen with the snapshot.
    customers = models.PositiveIntegerField(_("customers"), null=True)
    readers = models.PositiveIntegerField(_("readers"), null=True)
    sms_segments = models.PositiveIntegerField(_("SMS segments"), null=True)
    cost = models.BigIntegerField(_("estimated cost (Rial)"), null=True)

    # How far the snapshot is written into the outbox: the last recipient, and how many.
    fanned_to = models.BigIntegerField(default=0, editable=False)
    fanned = models.PositiveIntegerField(_("written to the outbox"), default=0, editable=False)

    objects = BroadcastQuerySet.as_manager()

    class Meta:
        verbose_name = _("broadcast")
        verbose_name_plural = _("broadcasts")
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [
            ("prepare_broadcast", _("Can prepare broadcasts, pause and stop them")),
            ("approve_broadcast", _("Can approve broadcasts of others, pause, resume and stop them")),
        ]
        indexes = [models.Index(fields=["status"], name="notifications_broadcast_stands")]
        constraints = [
            models.CheckConstraint(
                condition=Q(reason__in=("incident", "maintenance", "policy", "legal")),
                name="notifications_broadcast_reason_is_owed",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | Q(prepared_by=None) | ~Q(approved_by=F("prepared_by")),
                name="notifications_broadcast_takes_two",
            ),
            models.CheckConstraint(
                condition=Q(is_urgent=False) | Q(reason="incident"), name="notifications_broadcast_urgent_is_incident"
            ),
            models.CheckConstraint(
                condition=Q(status__in=("draft", "ready", "killed")) | Q(approved_by__isnull=False) | Q(is_urgent=True),
                name="notifications_broadcast_sent_was_approved",
            ),
            models.CheckConstraint(
                condition=Q(status="draft")
                | Q(customers__isnull=False, readers__isnull=False, sms_segments__isnull=False, cost__isnull=False),
                name="notifications_broadcast_ready_is_counted",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message} {self.source}"

    @property
    def tone(self) -> str:
        return self.TONE[self.Status(self.status)]

    @property
    def is_running(self) -> bool:
        return self.status in self.RUNNING

    def spoken(self, language: str) -> dict[str, Any]:
        """Its context in one language."""
        return spoken(self.context, language)

    # --- what can happen to it ----------------------------------------------------------------------------------------

    def _move_to(self, status: Status, *, by: Any = None, why: str = "", **changes: Any) -> bool:
        """Under a row lock, with an event. False when it is there already."""
        with transaction.atomic():
            was = type(self).objects.select_for_update().values_list("status", flat=True).get(pk=self.pk)
            if was == status:
                return False
            if status not in self.NEXT[self.Status(was)]:
                raise ValueError(f"broadcast {self.pk}: {was} → {status} is not allowed")
            type(self).objects.filter(pk=self.pk).update(status=status, **changes)
            self.events.create(now=status, by=by, why=why)
        for field, value in {"status": status, **changes}.items():
            setattr(self, field, value)
        return True

    def get_ready(self, **counts: int) -> bool:
        changes: dict[str, Any] = dict(counts)
        return self._move_to(self.Status.READY, by=self.prepared_by, **changes)

    def approve(self, by: Any) -> bool:
        """`by` is None for an urgent one alone; the database sees to it."""
        return self._move_to(self.Status.APPROVED, by=by, approved_by=by)

    def start(self) -> bool:
        return self._move_to(self.Status.SENDING)

    def pause(self, by: Any) -> bool:
        return self._move_to(self.Status.PAUSED, by=by)

    def resume(self, by: Any) -> bool:
        return self._move_to(self.Status.SENDING, by=by)

    def kill(self, by: Any, why: str) -> bool:
        return self._move_to(self.Status.KILLED, by=by, why=why)

    def finish(self) -> bool:
        return self._move_to(self.Status.DONE)

    # --- how far it has come ------------------------------------------------------------------------------------------

    def progress(self) -> list[Progress]:
        """By channel and status, from the index alone: 0.1 s for 200,000 deliveries, however many others there are."""
        rows = self.deliveries.order_by().values_list("channel", "status").annotate(n=Count("*"))
        found: dict[str, dict[str, int]] = {}
        for channel, status, count in rows:
            found.setdefault(channel, {})[status] = count
        return [Progress(channel, found[channel]) for channel in Channel.values if channel in found]

    def missing(self) -> "RecipientQuerySet":
        """Of those whose turn has come: customers of whom nobody got it by any channel, nor is still to get it.

        Affected − delivered or owed: none of them is the proof that everybody was told.
        """
        return self.recipients.filter(pk__lte=self.fanned_to).untold()


@lru_cache(maxsize=256)
def context_of(pk: int) -> dict[str, Any]:
    """It never changes, and every reader's page and mail asks for it."""
    context: dict[str, Any] = Broadcast.objects.values_list("context", flat=True).get(pk=pk)
    return context


class RecipientQuerySet(models.QuerySet["BroadcastRecipient"]):
    # With a mail server's word that it took a mail we know all that we ever shall.
    TOLD_OR_OWED = (*Delivery.UNSENT, Delivery.Status.ACCEPTED, Delivery.Status.DELIVERED, Delivery.Status.PARKED)

    def untold(self) -> Self:
        ways = Delivery.objects.filter(event=models.OuterRef("event_id"), status__in=self.TOLD_OR_OWED)
        return self.filter(~models.Exists(ways))


class BroadcastRecipient(models.Model):
    """Who is to be told: the audience as it was when the broadcast was prepared."""

    broadcast = models.ForeignKey(
        Broadcast, models.CASCADE, db_index=False, related_name="recipients", verbose_name=_("broadcast")
    )
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, db_index=False, related_name="+", verbose_name=_("customer")
    )
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, db_index=False, related_name="+", verbose_name=_("reader")
    )
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    event_id = models.UUIDField(editable=False)  # of the event that it becomes, one a customer

    objects = RecipientQuerySet.as_manager()

    class Meta:
        verbose_name = _("recipient")
        verbose_name_plural = _("recipients")
        ordering = ["id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["broadcast", "customer", "reader"], name="notifications_broadcastrecipient_once"
            )
        ]
        indexes = [models.Index(fields=["broadcast", "id"], name="notifications_recipients_turn")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.reader_id}"


class BroadcastEvent(models.Model):
    """One step of its life; rows are only ever added."""

    broadcast = models.ForeignKey(Broadcast, models.CASCADE, related_name="events", verbose_name=_("broadcast"))
    now = models.CharField(_("to"), max_length=8, choices=Broadcast.Status.choices)
    at = models.DateTimeField(_("at"), db_default=Now())
    # NULL: by itself, or by an operator's command.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by"))
    why = models.CharField(_("why"), max_length=8, choices=Broadcast.Why.choices, blank=True)

    class Meta:
        verbose_name = _("step of a broadcast")
        verbose_name_plural = _("steps of broadcasts")
        ordering = ["id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.now} {self.at:%Y-%m-%d %H:%M}"
