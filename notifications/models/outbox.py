"""What we told you: the event, a delivery for each channel, and every try to deliver it."""

import datetime as dt
import secrets
import uuid
from collections.abc import Collection
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.sealed.fields import SealedCharField, SealedJSONField
from portal.sealed.index import SealedModel, SealedQuerySet


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
            return dict(self.context or {})
        from .broadcasts import context_of  # which stands on these rows

        return spoken(context_of(self.broadcast_id), self.language)

    @property
    def is_out_of_date(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    def forget(self, names: tuple[str, ...]) -> None:
        """Lose codes and links for good once no delivery needs them any more."""
        if not self.context or not names or self.deliveries.filter(status__in=Delivery.UNSENT).exists():
            return
        kept = {name: value for name, value in self.context.items() if name not in names}
        self.context = kept
        self.save(update_fields=["context"])


class DeliveryQuerySet(SealedQuerySet):
    def visible_to(self, customer: Any) -> Self:
        return self.filter(event__customer=customer)

    def unclaimed(self) -> Self:
        """Rows whose turn has come and that nobody holds."""
        now = timezone.now()
        free = models.Q(lease_until=None) | models.Q(lease_until__lt=now)
        return self.sendable().filter(free, status__in=Delivery.DUE, not_before__lte=now)

    def sendable(self) -> Self:
        """Without those of broadcasts that a person paused or stopped."""
        from .broadcasts import Broadcast

        return self.exclude(broadcast__in=Broadcast.objects.held())

    def out_of_date(self) -> Self:
        """Rows that nobody holds and that must not be sent any more."""
        now = timezone.now()
        free = models.Q(lease_until=None) | models.Q(lease_until__lt=now)
        return self.filter(free, status__in=Delivery.DUE, event__expires_at__lte=now)

    def let_go(self) -> Self:
        """Rows whose worker died, or is so slow that its answer no longer counts."""
        return self.filter(status=Delivery.Status.SENDING, lease_until__lt=timezone.now())

    def to_ask_about(self) -> Self:
        """SMS that the operator accepted and whose fate it may know by now."""
        return self.filter(status=Delivery.Status.ACCEPTED, channel=Channel.SMS, not_before__lte=timezone.now())

    def take(self, lane: str, limit: int, lasts: dt.timedelta, *, again: bool) -> list[uuid.UUID]:
        """Hand out due rows of a lane: fresh ones, or `again` those handed out once whose time ran out unused."""
        now = timezone.now()
        handed = models.Q(handed_until__lte=now) if again else models.Q(handed_until=None)
        with transaction.atomic():
            rows = self.unclaimed().filter(handed, lane=lane).order_by("not_before")
            taken = list(rows.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
            self.filter(pk__in=taken).update(handed_until=now + lasts)
        return taken


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

    NEXT: ClassVar[dict[Status, set[Status]]] = {
        Status.QUEUED: {Status.SENDING, Status.EXPIRED, Status.SUPPRESSED},
        Status.SENDING: {Status.ACCEPTED, Status.QUEUED, Status.UNKNOWN, Status.UNDELIVERED, Status.PARKED},
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
        Status.UNDELIVERED: set(),
        Status.BLOCKED: set(),
        Status.SUPPRESSED: set(),
        Status.EXPIRED: set(),
        Status.PARKED: {Status.QUEUED},
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
    }
    DUE = (Status.QUEUED, Status.UNKNOWN)
    UNSENT = (Status.QUEUED, Status.SENDING, Status.UNKNOWN)
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
    # The event's, so that a broadcast of many thousands is counted and held without them.
    broadcast = models.ForeignKey(
        "notifications.Broadcast", models.PROTECT, null=True, db_index=False, related_name="deliveries", editable=False
    )
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    not_before = models.DateTimeField(_("not before"), default=timezone.now, null=True)
    handed_until = models.DateTimeField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    lease_by = models.CharField(max_length=32, blank=True, editable=False)
    # Our own number in the operator's books. Random, so that a restored database never repeats one that it has seen.
    local_ref = models.BigIntegerField(unique=True, default=new_local_ref, db_default=RANDOM_REF, editable=False)
    provider_ref = models.CharField(_("provider's reference"), max_length=120, blank=True)
    last_code = models.CharField(_("last answer"), max_length=40, blank=True)
    accepted_at = models.DateTimeField(_("handed over at"), null=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True)

    objects = DeliveryQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["channel"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "channel", "reader"],
                name="notifications_delivery_one_a_reader",
                nulls_distinct=False,
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
                fields=["lease_until"], condition=models.Q(status="sending"), name="notifications_delivery_leased"
            ),
            models.Index(
                fields=["broadcast", "channel", "status"],
                condition=models.Q(broadcast__isnull=False),
                name="notifications_delivery_tally",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def tone(self) -> str:
        return self.TONE[self.Status(self.status)]

    @property
    def address(self) -> str | None:
        """Where it goes to; None when there is nothing to send it to."""
        to: str | None = self.recipient
        if self.at_account and self.reader:
            to = self.reader.email if self.channel == Channel.EMAIL else self.reader.mobile
        return to

    def _move_to(self, status: Status, *, held_by: str | None = None, code: str | None = None, **changes: Any) -> bool:
        """Under a row lock. False when already there, or when `held_by` lost the row; `code` leaves an Attempt."""
        with transaction.atomic():
            fresh = type(self).objects.select_for_update().defer("recipient").get(pk=self.pk)
            if held_by is not None and (fresh.lease_by, fresh.tries) != (held_by, self.tries):
                return False
            if fresh.status == status:
                return False
            if status not in self.NEXT[self.Status(fresh.status)]:
                raise ValueError(f"delivery: {fresh.status} → {status} is not allowed")
            if code is not None:
                changes["last_code"] = code
                began = (fresh.lease_until or timezone.now()) - self.LEASE[self.channel]
                self.attempts.create(n=fresh.tries, started_at=began, outcome=status, code=code)
            for field, value in {"status": status, **changes}.items():
                setattr(self, field, value)
            self.save(update_fields=["status", *changes])
        return True

    # --- taking it up ------------------------------------------------------------------------------------------------

    @classmethod
    def claim(cls, pk: uuid.UUID | str) -> "Delivery | None":
        """Take the row under a lease and commit, so that nobody else sends it; None when it is not to be sent now."""
        with transaction.atomic(durable=True):
            rows = cls.objects.unclaimed().select_related("event", "reader")
            row = rows.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
            if row is None:
                return None
            if row.event.is_out_of_date:
                row.expire()
                return None
            if not row.address:
                row._move_to(cls.Status.SUPPRESSED, last_code="no-address" if row.at_account else "erased")
                return None
            lease_by, lease_until = secrets.token_hex(16), timezone.now() + cls.LEASE[row.channel]
            if row.status == cls.Status.UNKNOWN and row.channel == Channel.SMS:
                row.lease_by, row.lease_until = lease_by, lease_until
                row.save(update_fields=["lease_by", "lease_until"])  # stays unknown: it is only looked up
            else:
                row._move_to(cls.Status.SENDING, tries=row.tries + 1, lease_by=lease_by, lease_until=lease_until)
        return row

    # --- what came of it ---------------------------------------------------------------------------------------------

    FREE: ClassVar[dict[str, Any]] = {"lease_by": "", "lease_until": None, "handed_until": None}

    def accept(self, ref: str, *, ask_at: dt.datetime | None) -> bool:
        """The provider took it. `ask_at` is when to ask what became of it."""
        now = timezone.now()
        return self._move_to(
            self.Status.ACCEPTED,
            held_by=self.lease_by,
            code="ok",
            provider_ref=ref,
            accepted_at=now,
            not_before=ask_at,
            **self.FREE,
        )

    def try_again(self, at: dt.datetime, code: str) -> bool:
        return self._move_to(self.Status.QUEUED, held_by=self.lease_by, code=code, not_before=at, **self.FREE)

    def doubt(self, until: dt.datetime | None, code: str) -> bool:
        """Nobody knows whether the provider took it; looked into from `until` on, or never."""
        return self._move_to(self.Status.UNKNOWN, held_by=self.lease_by, code=code, not_before=until, **self.FREE)

    def still_doubt(self, until: dt.datetime) -> bool:
        """The look-up itself failed: ask again later."""
        mine = type(self).objects.filter(pk=self.pk, lease_by=self.lease_by, status=self.Status.UNKNOWN)
        return mine.update(not_before=until, **self.FREE) == 1

    def ask_later(self, at: dt.datetime | None) -> None:
        """The operator does not know its fate yet; None gives up asking."""
        mine = type(self).objects.filter(pk=self.pk, status=self.Status.ACCEPTED)
        mine.update(not_before=at)

    def refuse(self, code: str) -> bool:
        """The receiver's side refuses for good."""
        return self._move_to(self.Status.UNDELIVERED, held_by=self.lease_by, code=code, not_before=None, **self.FREE)

    def park(self, code: str) -> bool:
        """Somebody of us must look at it."""
        return self._move_to(self.Status.PARKED, held_by=self.lease_by, code=code, not_before=None, **self.FREE)

    def expire(self) -> bool:
        return self._move_to(self.Status.EXPIRED, not_before=None, **self.FREE)

    def arrive(self, at: dt.datetime) -> bool:
        return self._move_to(self.Status.DELIVERED, delivered_at=at, not_before=None, last_code="10")

    def fail(self, code: str) -> bool:
        """The operator says that the receiver did not get it; 14 says that the receiver refuses such senders."""
        status = self.Status.BLOCKED if code == "14" else self.Status.UNDELIVERED
        return self._move_to(status, not_before=None, last_code=code)

    def release(self) -> bool:
        """Staff put a parked row back."""
        return self._move_to(self.Status.QUEUED, not_before=timezone.now(), tries=0, **self.FREE)


class Attempt(models.Model):
    """One try, written when its outcome is known and never changed (a trigger of the database sees to it)."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts", verbose_name=_("delivery"))
    n = models.PositiveSmallIntegerField(_("number"))
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), default=timezone.now)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Delivery.Status.choices)
    code = models.CharField(_("answer"), max_length=40)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["finished_at", "id"]

    def __str__(self) -> str:
        return f"{self.n} {self.outcome} {self.code}"
