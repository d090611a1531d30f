"""One attempt to pay an invoice at a bank: where it stands, its receipt and its time. Nothing of the card."""

import secrets
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, Func, OuterRef, Q, Value
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Customer
from billing.gateways import Attempt

from . import payment_states as states
from .invoices import Invoice
from .payment_events import PaymentEvent
from .steps import step

LEASE = timedelta(minutes=2)  # longer than the calls of one verify can take (TIMEOUT and PATIENCE of gateways/wire.py)
AGAIN = timedelta(seconds=40)  # from one call without an answer to the next
QUIET = timedelta(minutes=2)  # a callback is given this long before we ask the bank ourselves
SELDOM = timedelta(minutes=4)  # between two questions of which each would take the money
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
        return self.filter(status__in=Payment.UNANSWERED)

    def inbox(self) -> Self:
        """Money that was taken and is applied to nothing, or may have been: people decide."""
        return self.filter(status__in=[Payment.Status.UNAPPLIED, Payment.Status.SUSPECT])

    def open_to_callback(self) -> Self:
        """Seen without a lock: a callback may begin or end something now. What is over never begins again."""
        free = Q(lease_until=None) | Q(lease_until__lte=Now()) | Q(status__in=Payment.OPEN)
        return self.filter(free, status__in=Payment.OPEN | Payment.UNANSWERED)

    def stuck(self) -> Self:
        """Waits for a person: no answer even after the deadline, or money that fits nothing."""
        late = Q(status__in=Payment.WAITING, verify_deadline__lt=Now())
        return self.filter(late | Q(pk__in=self.inbox()))

    def to_check(self) -> Self:
        """Attempts whose callback may be lost, or whose bank owes us an answer."""
        due, free = Q(next_try_at__lte=Now()), Q(lease_until=None) | Q(lease_until__lt=Now())
        looked_at = {Payment.Status.NEW, Payment.Status.SENT, Payment.Status.CANCELLED} | Payment.WAITING
        # An attempt whose gateway was taken out of the settings cannot be asked about; it shows up as stuck.
        return self.filter(due, free, status__in=looked_at, gateway__in=settings.GATEWAY).order_by("next_try_at")

    def forgettable(self) -> Self:
        """Over for a day, so the bank's token serves nothing any more."""
        recent = PaymentEvent.objects.filter(payment=OuterRef("pk"), at__gt=Now() - TOKEN_KEPT)
        return self.filter(~Exists(recent), status__in=Payment.OVER, token__isnull=False)

    def locked(self, *related: str) -> Self:
        """Attempts and their invoices, locked in this order everywhere, with the database's clock in `db_now`."""
        rows = self.select_related("invoice", *related).select_for_update(of=("self", "invoice"))
        return rows.annotate(db_now=Now())


class Payment(models.Model):
    """Amount is whole Rials, frozen when the attempt is made. The columns are published in billing/privacy.py."""

    Status = states.Status
    NEXT = states.NEXT
    TONE = states.TONE
    UNANSWERED = states.UNANSWERED
    WAITING = states.WAITING
    RECEIVED = states.RECEIVED
    OPEN = states.OPEN
    OVER = states.OVER

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
    # Rials, by the bank's own word. Where it is not the amount that we asked for, nothing of it is applied.
    taken = models.BigIntegerField(_("taken by the bank (Rial)"), null=True)
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
                condition=Q(
                    status__in=["new", "sent", "cancelled", "verifying", "unknown", "unsettled", "reversing"],
                    next_try_at__isnull=False,
                ),
                name="billing_payment_to_check",
            ),
            # What the operators' screen sums up: what arrived by day, and what waits for an answer or a decision.
            models.Index(
                fields=["bank_time"], condition=Q(status__in=["paid", "unsettled"]), name="billing_payment_received"
            ),
            models.Index(
                fields=["status"],
                condition=Q(status__in=["verifying", "unknown", "unsettled", "reversing", "unapplied", "suspect"]),
                name="billing_payment_waiting",
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
                condition=~Q(status__in=["paid", "unsettled"])
                | Q(receipt__isnull=False, bank_time__isnull=False, taken__isnull=False),
                name="billing_payment_paid_has_receipt",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["unapplied", "reversing", "reversed"])
                | Q(taken__isnull=False, taken__gt=0, receipt__isnull=False, bank_time__isnull=False),
                name="billing_payment_unapplied_was_taken",
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
    def is_unanswered(self) -> bool:
        return self.status in self.UNANSWERED

    @property
    def is_received(self) -> bool:
        """The money is ours, and in the ledger."""
        return self.status in self.RECEIVED

    @property
    def is_being_worked_on(self) -> bool:
        """The page may change by itself soon."""
        return self.is_unanswered or self.status in (self.Status.NEW, self.Status.REVERSING)

    @property
    def attempt(self) -> Attempt:
        """What the bank is told when it is asked about this payment."""
        return Attempt(self.amount, self.order_number, self.token or "", self.receipt or "")

    @property
    def now(self) -> datetime:
        """The database's clock where the row was locked: no machine's own clock decides about money."""
        return getattr(self, "db_now", None) or timezone.now()

    @property
    def is_due(self) -> bool:
        return self.next_try_at is not None and self.next_try_at <= self.now

    @property
    def is_past_deadline(self) -> bool:
        return self.verify_deadline is not None and self.verify_deadline < self.now

    def _move_to(self, status: states.Status, *, code: str = "", note: str = "", **changes: Any) -> bool:
        lease = {"lease_until": self.lease_until, "lease_by": self.lease_by}
        return step(self, status, code=code, note=note, result_code=code, **lease, **changes)

    # --- on the way out ----------------------------------------------------------------------------------------------

    def leave(self, token: str, *, expires_in: timedelta) -> bool:
        """The bank gave a token: the browser may go."""
        now = self.now
        return self._move_to(self.Status.SENT, token=token, next_try_at=now + QUIET, verify_deadline=now + expires_in)

    def never_leave(self, code: str) -> bool:
        """The bank gave no token."""
        return self._move_to(self.Status.FAILED, code=code, note=PaymentEvent.Note.NOT_STARTED, next_try_at=None)

    # --- back from the bank ------------------------------------------------------------------------------------------

    def come_back_unpaid(self, code: str) -> bool:
        """As the browser says. The bank is asked all the same, until the payer's time there is over."""
        return self._move_to(self.Status.CANCELLED, code=code)

    def start_verifying(self, receipt: str | None, *, within: timedelta, note: str = "") -> bool:
        """Bind the receipt, for ever, before the bank is asked. IntegrityError: it belongs to another payment."""
        return self._move_to(
            self.Status.VERIFYING,
            note=note,
            receipt=receipt,
            tries=0,
            next_try_at=self.now + AGAIN,
            verify_deadline=self.now + within,
        )

    def wait_on(self, code: str, *, expires_in: timedelta) -> bool:
        """We asked of our own accord, and the payer may still pay: back to where it was. False when neither holds."""
        last = self.events.filter(now=self.Status.VERIFYING).last()
        deadline = self.created_at + expires_in
        if last is None or last.note != PaymentEvent.Note.ASKED_BY_US or self.now > deadline:
            return False
        again = {"next_try_at": self.now + SELDOM, "verify_deadline": deadline, "tries": 0}
        return self._move_to(self.Status(last.was), code=code, note=PaymentEvent.Note.NOT_YET, **again)

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

    def end_lease(self, name: str) -> bool:
        """On the locked row; the step that follows writes it down. False when it ran out and is another's by now."""
        if self.lease_by != name:
            return False
        self.lease_until, self.lease_by = None, ""
        return True

    def receive(
        self, *, receipt: str, trace: str, bank_time: datetime | None, code: str, taken: int, settles: bool
    ) -> bool:
        """The money is ours; where the bank wants to be told so again, it is told next.

        IntegrityError: the receipt belongs to another payment.
        """
        return self._move_to(
            self.Status.UNSETTLED if settles else self.Status.PAID,
            code=code,
            receipt=receipt,
            trace=trace,
            bank_time=bank_time or self.now,
            taken=taken,
            next_try_at=self.now if settles else None,
        )

    def set_aside(
        self, note: str, *, receipt: str | None, trace: str, bank_time: datetime | None, code: str, taken: int
    ) -> bool:
        """The money was taken, but not for what it was asked for. IntegrityError as with `receive`."""
        return self._move_to(
            self.Status.UNAPPLIED,
            code=code,
            note=note,
            receipt=receipt,
            trace=trace,
            bank_time=bank_time or self.now,
            taken=taken,
            next_try_at=None,
        )

    def settle(self, code: str) -> bool:
        return self._move_to(self.Status.PAID, code=code, next_try_at=None)

    def fail(self, code: str, note: str = "") -> bool:
        return self._move_to(self.Status.FAILED, code=code, note=note, next_try_at=None)

    def keep_asking(self, code: str) -> None:
        """No answer is not an answer: ask again soon, after the deadline seldom, and after a day leave it to people."""
        now, deadline = self.now, self.verify_deadline or self.created_at
        again: datetime | None = now + AGAIN
        if now > deadline:
            again = now + LATE_EVERY if now < deadline + LATE_FOR else None
            if self.is_unanswered:
                self._move_to(self.Status.UNKNOWN, code=code, next_try_at=again)
        self.result_code, self.next_try_at = code, again
        self.save(update_fields=["result_code", "next_try_at", "lease_until", "lease_by"])

    def ask_later(self) -> None:
        """Still at the bank."""
        self.next_try_at = self.now + QUIET
        self.save(update_fields=["next_try_at"])

    # --- giving back -------------------------------------------------------------------------------------------------

    def start_reversing(self, note: str = "") -> bool:
        return self._move_to(self.Status.REVERSING, note=note, next_try_at=self.now + AGAIN)

    def be_reversed(self, code: str) -> bool:
        return self._move_to(self.Status.REVERSED, code=code, note=PaymentEvent.Note.GIVEN_BACK, next_try_at=None)

    def not_reversed(self, code: str) -> bool:
        """The bank will not do it by itself: people decide."""
        return self._move_to(self.Status.UNAPPLIED, code=code, note=PaymentEvent.Note.NOT_REVERSED, next_try_at=None)

    def keep_as_credit(self, *, settles: bool) -> bool:
        status = self.Status.UNSETTLED if settles else self.Status.PAID
        return self._move_to(status, note=PaymentEvent.Note.KEPT_AS_CREDIT, next_try_at=self.now if settles else None)

    def dismiss(self) -> bool:
        """A person has looked: nothing was taken for us."""
        return self._move_to(self.Status.NOT_WANTED, note=PaymentEvent.Note.DISMISSED, next_try_at=None)

    def forget_token(self) -> None:
        self.token = None
        self.save(update_fields=["token"])
