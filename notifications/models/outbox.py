"""What we told you: the event, a delivery for each channel, and every try to deliver it."""

import datetime as dt
import secrets
import uuid
from collections.abc import Collection
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models, transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.sealed.fields import SealedCharField, SealedJSONField
from portal.sealed.index import SealedModel, SealedQuerySet

from .turns import DeliveryQuerySet


class Purpose(models.TextChoices):
    """Why a message may be sent at all. No value for advertising exists, and the database accepts no other."""

    CODE = "code", _("Code or link to confirm")
    SECURITY = "security", _("Security of your account")
    MONEY = "money", _("Invoices and payments")
    TICKET = "ticket", _("Tickets")
    SERVICE = "service", _("Your services")
    LEGAL = "legal", _("Terms and policy")


class Lane(models.TextChoices):
    """Queues that never wait for one another, the most urgent first."""

    CODES = "codes", _("Codes")
    MONEY = "money", _("Security and payment")
    TICKETS = "tickets", _("Tickets and invoices")
    BULK = "bulk", _("Broadcasts")


class Channel(models.TextChoices):
    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")


class EventQuerySet(SealedQuerySet):
    def visible_to(self, customer: Any, purposes: Collection[str] | None = None) -> Self:
        """`purposes` are those that the reader's role is for; None for all."""
        own = self.filter(customer=customer)
        return own if purposes is None else own.filter(purpose__in=purposes)

    def with_words(self) -> Self:
        """Each with the version of the words that went out (`sent_in`), so that its page shows those and no newer."""
        sent = Delivery.objects.filter(event=models.OuterRef("pk"), wording__isnull=False).order_by("channel")
        return self.annotate(sent_in=models.Subquery(sent.values("wording")[:1]))


class Event(SealedModel):
    """Something that a customer must hear of."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="events", verbose_name=_("customer")
    )
    message = models.CharField(_("message"), max_length=40)
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose.choices)
    about = models.CharField(_("about"), max_length=80)  # an opaque reference, such as invoice:1405-000012
    key = models.CharField(_("key"), max_length=160, unique=True)  # twice with one key is once
    context = SealedJSONField(null=True, editable=False)
    # What many are told at once has its words there, and none here.
    broadcast = models.ForeignKey(
        "notifications.Broadcast",
        models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
        verbose_name=_("broadcast"),
    )
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    at = models.DateTimeField(_("at"), default=timezone.now, db_index=True)
    expires_at = models.DateTimeField(_("expires at"), null=True)

    sent_in: int | None = None  # the wording that went out, of rows read `with_words`

    objects = EventQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["customer", "-at"], name="notifications_event_of")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(purpose__in=Purpose.values), name="notifications_event_purpose_is_owed"
            )
        ]

    def __str__(self) -> str:
        return f"{self.message} {self.about}"

    def get_absolute_url(self) -> str:
        return reverse("message", args=[self.pk])

    @property
    def title(self) -> str:
        """Its subject line, as lists show it."""
        from notifications.messages import title  # the words know the rows, so the rows cannot know them earlier

        return title(self)

    @property
    def words_context(self) -> dict[str, Any]:
        """What its words are made of, in its language."""
        if self.broadcast_id is None:
            return self.context or {}
        from .broadcasts import context_of  # which stands on these rows

        return spoken(context_of(self.broadcast_id), self.language)

    def forget(self, names: tuple[str, ...]) -> None:
        """Lose codes and links for good once no delivery needs them any more."""
        if not self.context or not names or self.deliveries.filter(status__in=Delivery.UNSENT).exists():
            return
        kept = {name: value for name, value in self.context.items() if name not in names}
        self.context = kept
        self.save(update_fields=["context"])


def spoken(context: dict[str, Any], language: str) -> dict[str, Any]:
    """Of what differs by language, this language's."""
    return {name: value[language] if isinstance(value, dict) else value for name, value in context.items()}


def new_local_ref() -> int:
    """18 digits: the operator's number is a signed 64-bit one."""
    return secrets.randbelow(9 * 10**17) + 10**17


# The same range for rows that are written by SQL.
RANDOM_REF = models.Func(
    template="(100000000000000000 + abs(mod(uuid_hash_extended(gen_random_uuid(), 0), 900000000000000000)))",
    output_field=models.BigIntegerField(),
)


class Delivery(SealedModel):
    """One event on its way to one customer by one channel."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("Waiting to be sent")
        SENDING = "sending", _("Being sent")
        UNKNOWN = "unknown", _("Being checked")
        ACCEPTED = "accepted", _("Handed over")
        DELIVERED = "delivered", _("Delivered")
        UNDELIVERED = "undelivered", _("Not delivered")
        BLOCKED = "blocked", _("Blocked at the operator")
        SUPPRESSED = "suppressed", _("Not sent: no address")
        EXPIRED = "expired", _("Its time ran out")
        PARKED = "parked", _("Held for our staff")
        GATHERED = "gathered", _("Waits for your summary")
        DIGESTED = "digested", _("In your summary")

    NEXT: ClassVar[dict[Status, set[Status]]] = {
        Status.QUEUED: {Status.SENDING, Status.EXPIRED, Status.SUPPRESSED, Status.PARKED},
        Status.SENDING: {
            Status.ACCEPTED,
            Status.QUEUED,
            Status.UNKNOWN,
            Status.UNDELIVERED,
            Status.BLOCKED,
            Status.SUPPRESSED,
            Status.PARKED,
        },
        # A mail goes again under its own Message-ID; an SMS only after the operator said that it has none of ours.
        Status.UNKNOWN: {
            Status.SENDING,
            Status.ACCEPTED,
            Status.QUEUED,
            Status.EXPIRED,
            Status.SUPPRESSED,
            Status.PARKED,
        },
        Status.ACCEPTED: {Status.DELIVERED, Status.UNDELIVERED, Status.BLOCKED},
        Status.DELIVERED: set(),
        # Back only by a person's decision (flows/resending.py).
        Status.UNDELIVERED: {Status.QUEUED},
        Status.BLOCKED: {Status.QUEUED},
        Status.SUPPRESSED: {Status.QUEUED},
        Status.PARKED: {Status.QUEUED},
        Status.EXPIRED: set(),
        Status.GATHERED: {Status.DIGESTED, Status.SUPPRESSED},
        Status.DIGESTED: set(),
    }
    TONE: ClassVar[dict[Status, str]] = {
        Status.QUEUED: "wait",
        Status.SENDING: "wait",
        Status.UNKNOWN: "wait",
        Status.ACCEPTED: "info",
        Status.DELIVERED: "ok",
        Status.UNDELIVERED: "bad",
        Status.BLOCKED: "bad",
        Status.SUPPRESSED: "off",
        Status.EXPIRED: "off",
        Status.PARKED: "wait",
        Status.GATHERED: "wait",
        Status.DIGESTED: "ok",
    }
    DUE = (Status.QUEUED, Status.UNKNOWN)
    UNSENT = (Status.QUEUED, Status.SENDING, Status.UNKNOWN)
    WATCHED = (Status.QUEUED, Status.UNKNOWN, Status.PARKED)
    MENDABLE = ("no-address", "bounced")  # of suppressed ones: what the customer can put right
    # A mail goes again under its own Message-ID and a code by another carrier; every other SMS is looked up first.
    ASKS = models.Q(status="unknown", channel=Channel.SMS) & ~models.Q(lane=Lane.CODES)
    # At least twice what a call can take (channels/kavenegar.py, channels/smtp.py), and below the broker's own timeout.
    LEASE: ClassVar[dict[str, dt.timedelta]] = {
        Channel.SMS: dt.timedelta(seconds=40),
        Channel.EMAIL: dt.timedelta(seconds=100),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(Event, models.CASCADE, related_name="deliveries", verbose_name=_("event"))
    # Whose address it goes to: the customer's own, or of a company one of its people's.
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+", verbose_name=_("reader")
    )
    channel = models.CharField(_("channel"), max_length=5, choices=Channel.choices)
    lane = models.CharField(_("lane"), max_length=8, choices=Lane.choices)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.QUEUED)
    recipient = SealedCharField(_("recipient"), max_length=254, null=True, editable=False)
    # Written by SQL, which cannot seal an address for its row: the reader's own address is read when it is sent.
    at_account = models.BooleanField(default=False, db_default=False, editable=False)
    # The words that went out: decided with the first try, and the same for every later one.
    wording = models.ForeignKey(
        "notifications.Wording", models.PROTECT, null=True, related_name="+", db_index=False, editable=False
    )
    # The event's, so that a broadcast of many thousands is counted and held without them.
    broadcast = models.ForeignKey(
        "notifications.Broadcast", models.PROTECT, null=True, db_index=False, related_name="deliveries", editable=False
    )
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    not_before = models.DateTimeField(_("not before"), db_default=Now(), null=True)
    handed_until = models.DateTimeField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    lease_by = models.CharField(max_length=32, blank=True, editable=False)
    # Our own number in the operator's books and on a letter, the same at every try. Random, so that a restored database
    # never repeats one that it has seen.
    local_ref = models.BigIntegerField(unique=True, default=new_local_ref, db_default=RANDOM_REF, editable=False)
    # The company that has it, or may have it.
    carrier = models.CharField(_("carrier"), max_length=20, blank=True, default="", db_default="", editable=False)
    provider_ref = models.CharField(_("provider's reference"), max_length=120, blank=True)
    last_code = models.CharField(_("last answer"), max_length=40, blank=True)
    accepted_at = models.DateTimeField(_("handed over at"), null=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True)

    objects = DeliveryQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["channel"]
        permissions = [("resend_delivery", _("Can send a message again that did not arrive"))]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "channel", "reader"],
                name="notifications_delivery_one_a_reader",
                nulls_distinct=False,
            ),
            # Whatever else we owe goes by itself.
            models.CheckConstraint(
                condition=~models.Q(status__in=("gathered", "digested")) | models.Q(lane=Lane.TICKETS),
                name="notifications_delivery_only_tickets_are_gathered",
            ),
        ]
        indexes = [
            models.Index(
                fields=["lane", "not_before"],
                condition=models.Q(status__in=("queued", "unknown")),
                name="notifications_delivery_due",
            ),
            models.Index(
                fields=["not_before"],
                condition=models.Q(status="accepted", channel="sms"),
                name="notifications_delivery_to_ask",
            ),
            models.Index(
                fields=["provider_ref"],
                condition=models.Q(status="accepted", channel="sms"),
                name="notifications_delivery_hinted",
            ),
            models.Index(
                fields=["lease_until"], condition=models.Q(status="sending"), name="notifications_delivery_leased"
            ),
            models.Index(
                fields=["lane", "status"],
                condition=models.Q(status__in=("unknown", "parked")),
                name="notifications_delivery_stuck",
            ),
            models.Index(
                fields=["broadcast", "channel", "status"],
                condition=models.Q(broadcast__isnull=False),
                name="notifications_delivery_tally",
            ),
            models.Index(
                fields=["not_before"], condition=models.Q(status="gathered"), name="notifications_delivery_gather"
            ),
        ]

    # Only of a claimed row: the carrier that may have had it before it was claimed.
    held: str

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def tone(self) -> str:
        return self.TONE[self.Status(self.status)]

    def _move_to(self, status: Status, **changes: Any) -> bool:
        """Under a row lock. False when it is there already."""
        with transaction.atomic():
            fresh = type(self).objects.select_for_update().defer("recipient").get(pk=self.pk)
            if fresh.status == status:
                return False
            if status not in self.NEXT[self.Status(fresh.status)]:
                raise ValueError(f"delivery: {fresh.status} → {status} is not allowed")
            for field, value in {"status": status, **changes}.items():
                setattr(self, field, value)
            self.save(update_fields=["status", *changes])
        return True

    @property
    def is_code(self) -> bool:
        """Goes by the operator's approved template, which knows no number of ours: it cannot be looked up."""
        return self.channel == Channel.SMS and self.lane == Lane.CODES

    # --- what came of it (of a try: DeliveryQuerySet.settle) ----------------------------------------------------------

    FREE: ClassVar[dict[str, Any]] = {"lease_by": "", "lease_until": None, "handed_until": None}

    def ask_later(self, at: dt.datetime | None) -> None:
        """The operator does not know its fate yet; None gives up asking."""
        mine = type(self).objects.filter(pk=self.pk, status=self.Status.ACCEPTED)
        mine.update(not_before=at)

    def expire(self) -> bool:
        return self._move_to(self.Status.EXPIRED, not_before=None, **self.FREE)

    def arrive(self, at: dt.datetime, code: str) -> bool:
        return self._end(self.Status.DELIVERED, code, delivered_at=at)

    def fail(self, code: str, *, is_blocked: bool = False) -> bool:
        """The receiver did not get it, or has such senders blocked."""
        return self._end(self.Status.BLOCKED if is_blocked else self.Status.UNDELIVERED, code)

    def _end(self, status: Status, code: str, **changes: Any) -> bool:
        """The first end counts: what is said later, or once more, changes nothing."""
        with transaction.atomic():
            if not type(self).objects.select_for_update().filter(pk=self.pk, status=self.Status.ACCEPTED).exists():
                self.refresh_from_db(fields=["status"])
                return False
            return self._move_to(status, not_before=None, last_code=code, **changes)

    def digest(self) -> bool:
        """Its reader is told in one message with others."""
        return self._move_to(self.Status.DIGESTED, not_before=None)

    def drop(self, code: str) -> bool:
        """A gathered one that nobody is to hear of any more, and why."""
        return self._move_to(self.Status.SUPPRESSED, not_before=None, last_code=code)

    def send_again(self, *, in_new_words: bool) -> bool:
        """To its reader's address of now, under a new number: companies send one number once only."""
        changes = {
            "recipient": None,
            "at_account": True,
            "local_ref": new_local_ref(),
            "carrier": "",
            "provider_ref": "",
            "last_code": "",
            "tries": 0,
            "not_before": Now(),
            "accepted_at": None,
            **({"wording": None} if in_new_words else {}),
        }
        return self._move_to(self.Status.QUEUED, **changes, **self.FREE)


class Attempt(models.Model):
    """One try, written when its outcome is known and never changed (a trigger of the database sees to it)."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts", verbose_name=_("delivery"))
    n = models.PositiveSmallIntegerField(_("number"))
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), default=timezone.now)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Delivery.Status.choices)
    code = models.CharField(_("answer"), max_length=40)
    carrier = models.CharField(_("carrier"), max_length=20, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["finished_at", "id"]
        # Written in the order of time and never changed: a few bytes find the last hour among millions.
        indexes = [BrinIndex(fields=["finished_at"], autosummarize=True, name="notifications_attempt_when")]

    def __str__(self) -> str:
        return f"{self.n} {self.outcome} {self.code}"
