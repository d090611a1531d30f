"""One attempt to pay an invoice at a bank: where it stands, its receipt and its time. Nothing of the card."""

import secrets
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, Func, OuterRef, Q, Value
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Customer

from .invoices import Invoice
from .steps import Event, step

LEASE = timedelta(seconds=40)  # longer than a verify call can take (gateways.TIMEOUT and gateways.PATIENCE)
QUIET = timedelta(minutes=2)  # a callback is given this long before we ask the bank ourselves
LATE_EVERY = timedelta(minutes=10)
LATE_FOR = timedelta(hours=24)
TOKEN_KEPT = timedelta(hours=24)
NEXT_ORDER_NUMBER = Func(
    Value("billing_payment_order_number"), function="nextval", output_field=models.BigIntegerField()
)


def new_public_id() -> str:
    return secrets.token_urlsafe(24)


class PaymentQuerySet(models.QuerySet["Payment"]):
    def visible_to(self, customer: Customer) -> Self:
        return self.filter(invoice__customer=customer)

    def unanswered(self) -> Self:
        """The bank has been, or is about to be, asked for the money, and has not said what became of it."""
        return self.filter(status__in=[Payment.Status.VERIFYING, Payment.Status.UNKNOWN])

    def stuck(self) -> Self:
        """Waits for a person: no answer even after the deadline, or an answer that does not fit."""
        late = Q(status__in=[Payment.Status.VERIFYING, Payment.Status.UNKNOWN], verify_deadline__lt=Now())
        return self.filter(late | Q(status=Payment.Status.SUSPECT))

    def to_check(self) -> Self:
        """Attempts whose callback may be lost, or whose bank owes us an answer."""
        due, free = Q(next_try_at__lte=timezone.now()), Q(lease_until=None) | Q(lease_until__lt=Now())
        waiting = [Payment.Status.NEW, Payment.Status.SENT, Payment.Status.VERIFYING, Payment.Status.UNKNOWN]
        # An attempt whose gateway was taken out of the settings cannot be asked about; it shows up as stuck.
        return self.filter(due, free, status__in=waiting, gateway__in=settings.GATEWAY).order_by("next_try_at")

    def forgettable(self) -> Self:
        """Over for a day, so the bank's token serves nothing any more."""
        recent = PaymentEvent.objects.filter(payment=OuterRef("pk"), at__gt=timezone.now() - TOKEN_KEPT)
        over = Payment.OVER | {Payment.Status.EXPIRED, Payment.Status.CANCELLED}
        return self.filter(~Exists(recent), status__in=over, token__isnull=False)


class Payment(models.Model):
    """Amount is whole Rials, frozen when the attempt is made. The columns are published in billing/privacy.py."""

    class Status(models.TextChoices):
        NEW = "new", _("Being prepared")
        SENT = "sent", _("At the bank")
        CANCELLED = "cancelled", _("Came back unpaid")
        VERIFYING = "verifying", _("Being checked")
        UNKNOWN = "unknown", _("Waiting for the bank's answer")
        PAID = "paid", _("Paid")
        FAILED = "failed", _("Not paid")
        EXPIRED = "expired", _("Did not come back from the bank")
        NOT_WANTED = "not_wanted", _("Not collected")
        SUSPECT = "suspect", _("Held for a person to look at")

    # A return without success is soft: a browser may repeat it, or send it before the real one. The same goes for
    # an attempt that expired: if its callback comes after all, the bank's answer to verify decides.
    NEXT: ClassVar[dict[Status, set[Status]]] = {
        Status.NEW: {Status.SENT, Status.FAILED, Status.EXPIRED},
        Status.SENT: {
            Status.VERIFYING,
            Status.CANCELLED,
            Status.FAILED,
            Status.EXPIRED,
            Status.NOT_WANTED,
            Status.SUSPECT,
        },
        Status.CANCELLED: {Status.VERIFYING, Status.NOT_WANTED, Status.SUSPECT},
        Status.EXPIRED: {Status.VERIFYING, Status.NOT_WANTED, Status.SUSPECT},
        Status.VERIFYING: {Status.PAID, Status.FAILED, Status.UNKNOWN, Status.NOT_WANTED, Status.SUSPECT},
        Status.UNKNOWN: {Status.PAID, Status.FAILED, Status.SUSPECT},
        Status.PAID: set(),
        Status.FAILED: set(),
        Status.NOT_WANTED: set(),
        Status.SUSPECT: set(),
    }
    TONE: ClassVar[dict[Status, str]] = {
        Status.NEW: "wait",
        Status.SENT: "wait",
        Status.CANCELLED: "off",
        Status.VERIFYING: "wait",
        Status.UNKNOWN: "wait",
        Status.PAID: "ok",
        Status.FAILED: "bad",
        Status.EXPIRED: "off",
        Status.NOT_WANTED: "off",
        Status.SUSPECT: "bad",
    }
    OVER: ClassVar[set[Status]] = {status for status, following in NEXT.items() if not following}

    public_id = models.CharField(max_length=64, unique=True, default=new_public_id, editable=False)
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="payments", verbose_name=_("invoice"))
    gateway = models.CharField(_("gateway"), max_length=16)
    amount = models.BigIntegerField(_("amount (Rial)"))
    # One sequence for all gateways: a second attempt for an invoice is a new order to the bank.
    order_number = models.BigIntegerField(
        _("order number at the bank"),
        db_default=NEXT_ORDER_NUMBER,
        editable=False,
    )
    token = models.CharField(max_length=128, null=True, editable=False)
    receipt = models.CharField(_("receipt"), max_length=64, null=True)
    trace = models.CharField(_("second number of the receipt"), max_length=64, blank=True)
    bank_time = models.DateTimeField(_("time of the transaction"), null=True)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.NEW)
    result_code = models.CharField(_("result code"), max_length=32, blank=True)
    tries = models.PositiveIntegerField(_("verify calls"), default=0)
    next_try_at = models.DateTimeField(_("next check at"), null=True)
    lease_until = models.DateTimeField(null=True, editable=False)
    lease_by = models.CharField(max_length=16, blank=True, editable=False)
    verify_deadline = models.DateTimeField(_("deadline of verify"), null=True)
    form_token = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                condition=Q(status__in=["new", "sent", "verifying", "unknown"]),
                name="billing_payment_to_check",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="billing_payment_amount_positive"),
            models.UniqueConstraint(fields=["gateway", "order_number"], name="billing_payment_order_number_once"),
            models.UniqueConstraint(fields=["gateway", "token"], name="billing_payment_token_once"),
            # The bank confirms one receipt as often as it is asked: that it is used is ours to know.
            models.UniqueConstraint(fields=["gateway", "receipt"], name="billing_payment_receipt_once"),
            models.UniqueConstraint(fields=["invoice", "form_token"], name="billing_payment_form_sent_once"),
            models.CheckConstraint(
                condition=~Q(status="paid") | Q(receipt__isnull=False, bank_time__isnull=False),
                name="billing_payment_paid_has_receipt",
            ),
        ]

    def __str__(self) -> str:
        return str(self.order_number)

    def get_absolute_url(self) -> str:
        """The page that leaves for the bank, or what came of it."""
        return reverse("pay", args=[self.public_id])

    @property
    def tone(self) -> str:
        return self.TONE[self.Status(self.status)]

    @property
    def is_over(self) -> bool:
        return self.status in self.OVER

    @property
    def is_unanswered(self) -> bool:
        return self.status in (self.Status.VERIFYING, self.Status.UNKNOWN)

    @property
    def is_being_worked_on(self) -> bool:
        """The page may change by itself soon."""
        return self.is_unanswered or self.status == self.Status.NEW

    @property
    def is_due(self) -> bool:
        return self.next_try_at is not None and self.next_try_at <= timezone.now()

    @property
    def is_past_deadline(self) -> bool:
        return self.verify_deadline is not None and self.verify_deadline < timezone.now()

    def _move_to(self, status: Status, *, code: str = "", note: str = "", **changes: Any) -> bool:
        lease = {"lease_until": self.lease_until, "lease_by": self.lease_by}
        return step(self, status, code=code, note=note, result_code=code, **lease, **changes)

    # --- on the way out ----------------------------------------------------------------------------------------------

    def leave(self, token: str, *, expires_in: timedelta) -> bool:
        """The bank gave a token: the browser may go."""
        now = timezone.now()
        return self._move_to(self.Status.SENT, token=token, next_try_at=now + QUIET, verify_deadline=now + expires_in)

    def never_leave(self, code: str) -> bool:
        """The bank gave no token."""
        return self._move_to(self.Status.FAILED, code=code, note=PaymentEvent.Note.NOT_STARTED, next_try_at=None)

    # --- back from the bank ------------------------------------------------------------------------------------------

    def come_back_unpaid(self, code: str) -> bool:
        return self._move_to(self.Status.CANCELLED, code=code, next_try_at=None)

    def start_verifying(self, receipt: str | None, *, within: timedelta) -> bool:
        """Bind the receipt, for ever, before the bank is asked. IntegrityError: it belongs to another payment."""
        now = timezone.now()
        return self._move_to(
            self.Status.VERIFYING, receipt=receipt, next_try_at=now + LEASE, verify_deadline=now + within
        )

    def decline(self, note: str) -> bool:
        """We do not ask the bank for this money, so the bank gives it back by itself."""
        return self._move_to(self.Status.NOT_WANTED, note=note, next_try_at=None)

    def expire(self, note: str) -> bool:
        return self._move_to(self.Status.EXPIRED, note=note, next_try_at=None)

    def suspect(self, note: str, code: str = "") -> bool:
        return self._move_to(self.Status.SUSPECT, code=code, note=note, next_try_at=None)

    # --- asking the bank ---------------------------------------------------------------------------------------------

    def take_lease(self) -> str | None:
        """A name for the one caller who may ask the bank now. By the database's clock, so no machine's skew counts."""
        name = secrets.token_hex(8)
        free = Q(lease_until=None) | Q(lease_until__lt=Now())
        won = (
            type(self)
            .objects.filter(free, pk=self.pk)
            .update(lease_until=Now() + LEASE, lease_by=name, tries=models.F("tries") + 1)
        )
        return name if won else None

    def end_lease(self, name: str) -> None:
        """On the locked row; the step that follows writes it down. A lease that ran out may be another's by now."""
        if self.lease_by == name:
            self.lease_until, self.lease_by = None, ""

    def pay(self, *, receipt: str, trace: str, bank_time: datetime | None, code: str) -> bool:
        """IntegrityError: the receipt belongs to another payment."""
        return self._move_to(
            self.Status.PAID,
            code=code,
            receipt=receipt,
            trace=trace,
            bank_time=bank_time or timezone.now(),
            next_try_at=None,
        )

    def fail(self, code: str, note: str = "") -> bool:
        return self._move_to(self.Status.FAILED, code=code, note=note, next_try_at=None)

    def keep_asking(self, code: str) -> None:
        """No answer is not an answer: ask again soon, after the deadline seldom, and after a day leave it to people."""
        now, deadline = timezone.now(), self.verify_deadline or self.created_at
        if now > deadline:
            again = now + LATE_EVERY if now < deadline + LATE_FOR else None
            self._move_to(self.Status.UNKNOWN, code=code, next_try_at=again)
        else:
            again = now + LEASE
        self.result_code, self.next_try_at = code, again
        self.save(update_fields=["result_code", "next_try_at", "lease_until", "lease_by"])

    def ask_later(self) -> None:
        """Still at the bank."""
        self.next_try_at = timezone.now() + QUIET
        self.save(update_fields=["next_try_at"])

    def forget_token(self) -> None:
        self.token = None
        self.save(update_fields=["token"])


class PaymentEvent(Event):
    """One step of an attempt."""

    class Note(models.TextChoices):
        NOT_STARTED = "not_started", _("The gateway did not open the payment. Nothing was taken.")
        NEVER_LEFT = "never_left", _("The browser was not sent to the bank. Nothing was taken.")
        NO_RETURN = "no_return", _("Nobody came back from the bank. If money was taken, the bank returns it.")
        NOT_PAYABLE = "not_payable", _("The invoice needed no payment any more, so we did not collect the money.")
        HELD_BACK = "held_back", _("Another payment of this invoice was being checked, so we did not collect this.")
        GIVEN_BACK = "given_back", _("The bank has given the money back, or will do so.")
        MISMATCH = "mismatch", _("What came back does not belong to this payment.")
        RECEIPT_USED = "receipt_used", _("This receipt was used for another payment.")
        OTHER_AMOUNT = "other_amount", _("The bank confirmed another amount.")

    payment = models.ForeignKey(Payment, models.CASCADE, related_name="events", verbose_name=_("payment"))

    class Meta(Event.Meta):
        verbose_name = _("payment event")
        verbose_name_plural = _("payment events")

    @property
    def title(self) -> str:
        return str(Payment.Status(self.now).label)

    @property
    def tone(self) -> str:
        return Payment.TONE[Payment.Status(self.now)]

    @property
    def note_words(self) -> str:
        return str(self.Note(self.note).label) if self.note else ""
