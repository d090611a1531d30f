"""The bank's daily file beside our books: what it says was sold or given back, and whether we know of it."""

from datetime import date, datetime, time, timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .payments import Payment


class StatementQuerySet(models.QuerySet["Statement"]):
    def same(self, gateway: str, day: date, sha256: str) -> Self:
        """The import of exactly this file, if there is one."""
        return self.filter(gateway=gateway, day=day, sha256=sha256)


class Statement(models.Model):
    """One settlement file of one gateway. The file itself is not kept, only what its lines say of our money."""

    gateway = models.CharField(_("gateway"), max_length=16)
    day = models.DateField(_("day"))  # of Tehran
    # The command has nobody: then the file came to us by a machine.
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("imported by")
    )
    imported_at = models.DateTimeField(_("imported at"), default=timezone.now, editable=False)
    sha256 = models.CharField(max_length=64, editable=False)  # of the file's bytes, in hex
    rows = models.PositiveIntegerField(_("lines"))
    # Finding → how many lines had it when it was last compared; the report itself compares anew.
    counts = models.JSONField(_("findings"), default=dict)
    compared_at = models.DateTimeField(_("compared at"), default=timezone.now)

    objects = StatementQuerySet.as_manager()

    class Meta:
        verbose_name = _("settlement file")
        verbose_name_plural = _("settlement files")
        ordering = ["-day", "-id"]
        constraints = [
            # Files of days on which nothing was sold look all the same.
            models.UniqueConstraint(
                fields=["gateway", "sha256"], condition=Q(rows__gt=0), name="billing_statement_file_once"
            ),
            models.UniqueConstraint(fields=["gateway", "day", "sha256"], name="billing_statement_file_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.day}"

    @property
    def fits(self) -> bool:
        """Whether each line did when it was last compared."""
        return set(self.counts) <= StatementLine.FITS

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The day's first moment, and the first one after it."""
        start = datetime.combine(self.day, time.min)
        zone = timezone.get_default_timezone()
        return timezone.make_aware(start, zone), timezone.make_aware(start + timedelta(days=1), zone)

    def ours_alone(self) -> models.QuerySet[Payment]:
        """Money that our books received on this day by this gateway, and that no file of it knows.

        Not only this file: around midnight a bank counts a payment to the other day.
        """
        start, end = self.span
        known = StatementLine.objects.filter(
            statement__gateway=self.gateway, kind=StatementLine.Kind.SALE, receipt=models.OuterRef("receipt")
        )
        received = Payment.objects.filter(gateway=self.gateway, status__in=Payment.RECEIVED)
        return received.filter(~models.Exists(known), bank_time__gte=start, bank_time__lt=end).order_by("bank_time")


class StatementLine(models.Model):
    """One row of the file. Amount is whole Rials, always above zero: the kind says which way they went."""

    class Kind(models.TextChoices):
        SALE = "sale", _("Sale")
        REVERSAL = "reversal", _("Reversal")
        REFUND = "refund", _("Refund")

    class Finding(models.TextChoices):
        MATCHES = "matches", _("Matches")
        REVERSED_HERE = "reversed_here", _("Given back, here as well")
        OTHER_AMOUNT = "other_amount", _("Another amount than ours")
        NOT_BOOKED = "not_booked", _("Ours, but not received here")
        UNKNOWN = "unknown", _("No payment of ours")
        REVERSAL_NOT_KNOWN = "reversal_not_known", _("Given back by the bank, but not here")
        CROSSED = "crossed", _("Receipt and order number do not belong together")

    FITS: ClassVar[set[str]] = {Finding.MATCHES, Finding.REVERSED_HERE}
    # Over, and nothing of it is in our books: where the file has the sale it must have its way back too.
    NOTHING_HELD: ClassVar[set[str]] = {
        Payment.Status.REVERSED,
        Payment.Status.FAILED,
        Payment.Status.EXPIRED,
        Payment.Status.NOT_WANTED,
    }

    statement = models.ForeignKey(
        Statement, models.CASCADE, related_name="lines", verbose_name=Statement._meta.verbose_name
    )
    number = models.PositiveIntegerField(_("line"))  # in the file, whose first line is its header
    receipt = models.CharField(_("receipt"), max_length=64, db_index=True)
    order_number = models.CharField(_("order number at the bank"), max_length=64, blank=True)
    amount = models.BigIntegerField(_("amount (Rial)"))
    bank_time = models.DateTimeField(_("time of the transaction"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, related_name="+", verbose_name=_("payment"))
    finding = models.CharField(_("finding"), max_length=20, choices=Finding.choices)
    booked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("booked by")
    )
    booked_at = models.DateTimeField(_("booked at"), null=True)

    # Known once it was judged: Rials that our books hold of it, and those that by the bank's files went back.
    ours: int = 0
    gone_back: int = 0

    class Meta:
        verbose_name = _("line of a settlement file")
        verbose_name_plural = _("lines of settlement files")
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="billing_statementline_amount_positive"),
            models.UniqueConstraint(fields=["statement", "number"], name="billing_statementline_number_once"),
            # In parts money may only be refunded.
            models.UniqueConstraint(
                fields=["statement", "receipt", "kind"],
                condition=Q(kind__in=["sale", "reversal"]),
                name="billing_statementline_sold_once",
            ),
            models.CheckConstraint(
                condition=Q(booked_by__isnull=True, booked_at__isnull=True)
                | Q(booked_by__isnull=False, booked_at__isnull=False, kind="sale"),
                name="billing_statementline_booked_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.receipt} {self.kind} {self.amount}"

    @property
    def signed(self) -> int:
        """Rials that came; below zero where they went."""
        return self.amount if self.kind == self.Kind.SALE else -self.amount

    @property
    def is_fit(self) -> bool:
        return self.finding in self.FITS

    @property
    def is_bookable(self) -> bool:
        """Sold by the bank's word, while we still wait for its answer. The flow has the last word."""
        return (
            self.kind == self.Kind.SALE
            and self.finding == self.Finding.NOT_BOOKED
            and not self.gone_back
            and self.payment is not None
            and self.payment.status == Payment.Status.UNKNOWN
            and self.payment.receipt == self.receipt
        )

    def names(self, payment: Payment) -> bool:
        """Whether receipt and order number both are this payment's, as far as each side knows them."""
        return payment.receipt in (None, self.receipt) and self.order_number in ("", str(payment.order_number))

    def judge(self, payment: Payment | None, *, gone_back: int, refunds: list[int]) -> None:
        """Set beside the payment that it names. Of `refunds`, Rials that people gave back of it, it takes its own."""
        self.payment, self.gone_back, self.ours = payment, gone_back, 0
        if payment is None:
            self.finding = self.Finding.UNKNOWN
        elif not self.names(payment):
            self.finding = self.Finding.CROSSED
            self.ours = _held(payment) if payment.receipt == self.receipt and self.kind == self.Kind.SALE else 0
        elif self.kind == self.Kind.SALE:
            self._judge_sale(payment)
        else:
            self._judge_way_back(payment, refunds)

    def _judge_sale(self, payment: Payment) -> None:
        self.ours = _held(payment)
        if self.amount != _expected(payment):
            self.finding = self.Finding.OTHER_AMOUNT
        elif payment.is_received:
            self.finding = self.Finding.MATCHES
        elif self.gone_back >= self.amount and payment.status in self.NOTHING_HELD:
            self.finding, self.ours = self.Finding.MATCHES, self.amount
        else:
            self.finding = self.Finding.NOT_BOOKED

    def _judge_way_back(self, payment: Payment, refunds: list[int]) -> None:
        whole = self.amount == _expected(payment)
        if self.amount in refunds:
            refunds.remove(self.amount)
            self.finding, self.ours = self.Finding.REVERSED_HERE, -self.amount
        elif whole and payment.status in self.NOTHING_HELD:
            self.finding, self.ours = self.Finding.REVERSED_HERE, -self.amount
        elif self.kind == self.Kind.REVERSAL and not whole:
            self.finding = self.Finding.OTHER_AMOUNT
        else:
            self.finding = self.Finding.REVERSAL_NOT_KNOWN


def _expected(payment: Payment) -> int:
    """Rials: what the bank said it took, or what we asked for where it said nothing."""
    return payment.amount if payment.taken is None else payment.taken


def _held(payment: Payment) -> int:
    """Rials of it that are in our books."""
    return _expected(payment) if payment.is_received else 0
