"""What a customer owes, and what has arrived for it."""

from datetime import date, timedelta
from typing import Any, ClassVar, NamedTuple, Self
from uuid import UUID

from django.conf import settings
from django.db import connection, models
from django.db.models import F, Q, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Customer
from billing.money import jalali_year, tax_of
from portal.tongue import in_our_words

from .catalogue import TaxRate, percent
from .orders import Order
from .steps import Event, step

DAYS_TO_PAY = 7


class Line(NamedTuple):
    """One line of a new invoice; the amount is Rials before tax."""

    name_fa: str
    name_en: str
    amount: int


class InvoiceCounter(models.Model):
    """The last invoice number given in a Jalali year."""

    year = models.PositiveIntegerField(primary_key=True)
    last = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.year}: {self.last}"

    @classmethod
    def take(cls, day: date) -> str:
        """The next number, such as 1405-000012. The counter's row stays locked until the caller's transaction ends.

        A number taken in a transaction that fails is given back by the same rollback, so the series has no gap.
        """
        year = jalali_year(day)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO billing_invoicecounter AS counter (year, last) VALUES (%s, 1)"
                " ON CONFLICT (year) DO UPDATE SET last = counter.last + 1 RETURNING last",
                [year],
            )
            return f"{year}-{cursor.fetchone()[0]:06d}"


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def visible_to(self, customer: Customer) -> Self:
        return self.filter(customer=customer)

    def due(self) -> Self:
        return self.filter(status=Invoice.Status.OPEN)


class Invoice(models.Model):
    """A numbered document. All amounts are whole Rials; the tax rate is the one in force when it was issued."""

    class Status(models.TextChoices):
        OPEN = "open", _("To pay")
        PAID = "paid", _("Paid")
        VOID = "void", _("Void")
        TAKEN_BACK = "taken_back", _("Paid, then taken back")

    NEXT: ClassVar[dict[Status, set[Status]]] = {
        Status.OPEN: {Status.PAID, Status.VOID},
        Status.PAID: {Status.TAKEN_BACK},
        Status.VOID: set(),
        Status.TAKEN_BACK: set(),
    }
    TONE: ClassVar[dict[Status, str]] = {
        Status.OPEN: "wait",
        Status.PAID: "ok",
        Status.VOID: "off",
        Status.TAKEN_BACK: "off",
    }

    number = models.CharField(_("number"), max_length=16, unique=True, editable=False)
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="invoices", verbose_name=_("customer")
    )
    order = models.ForeignKey(Order, models.PROTECT, related_name="invoices", verbose_name=_("order"))
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.OPEN)
    subtotal = models.BigIntegerField(_("before tax (Rial)"))
    tax_hundredths = models.PositiveIntegerField(_("tax rate (hundredths of a percent)"))
    tax = models.BigIntegerField(_("tax (Rial)"))
    total = models.BigIntegerField(_("total (Rial)"))
    issued_at = models.DateTimeField(_("issued at"), default=timezone.now, editable=False)
    due_on = models.DateField(_("due on"))
    paid_at = models.DateTimeField(_("paid at"), null=True)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        ordering = ["-issued_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(subtotal__gt=0, tax__gte=0), name="billing_invoice_amounts_positive"),
            models.CheckConstraint(condition=Q(total=F("subtotal") + F("tax")), name="billing_invoice_total_is_sum"),
            models.CheckConstraint(
                condition=Q(status__in=["paid", "taken_back"], paid_at__isnull=False)
                | Q(status__in=["open", "void"], paid_at__isnull=True),
                name="billing_invoice_paid_has_its_time",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("invoice", args=[self.number])

    @classmethod
    def issue(cls, *, order: Order, lines: list[Line]) -> "Invoice":
        """Write the document. The number is taken last but one, so its lock is held for the shortest time."""
        now, today = timezone.now(), timezone.localdate()
        subtotal, rate = sum(line.amount for line in lines), TaxRate.objects.on(today).hundredths
        tax = tax_of(subtotal, rate)
        invoice = cls.objects.create(
            number=InvoiceCounter.take(today),
            customer=order.customer,
            order=order,
            subtotal=subtotal,
            tax_hundredths=rate,
            tax=tax,
            total=subtotal + tax,
            issued_at=now,
            due_on=today + timedelta(days=DAYS_TO_PAY),
        )
        InvoiceLine.objects.bulk_create(InvoiceLine(invoice=invoice, **line._asdict()) for line in lines)
        return invoice

    @property
    def tone(self) -> str:
        return "bad" if self.is_overdue else self.TONE[self.Status(self.status)]

    @property
    def tax_percent(self) -> str:
        return percent(self.tax_hundredths)

    @property
    def is_payable(self) -> bool:
        return self.status == self.Status.OPEN

    @property
    def is_overdue(self) -> bool:
        return self.is_payable and self.due_on < timezone.localdate()

    @property
    def received(self) -> int:
        """Rials that arrived for this invoice, from the ledger alone."""
        return self.ledger.aggregate(sum=Sum("amount"))["sum"] or 0

    @property
    def due(self) -> int:
        """Rials that are still to be paid; nothing once it is paid or void."""
        return self.total - self.received if self.is_payable else 0

    def _move_to(self, status: Status, **changes: Any) -> bool:
        return step(self, status, **changes)

    def settle(self, *, due: int) -> bool:
        """Paid, once nothing is due by the ledger. Call with the row locked."""
        return due <= 0 and self._move_to(self.Status.PAID, paid_at=timezone.now())

    def void(self) -> bool:
        """Nothing is due any more; what was paid in part is the customer's credit. Call with the row locked."""
        return self._move_to(self.Status.VOID) and self._free()

    def take_back(self) -> bool:
        """After it was paid: what was paid becomes the customer's credit. Call with the row locked."""
        return self._move_to(self.Status.TAKEN_BACK) and self._free()

    def _free(self) -> bool:
        if received := self.received:
            LedgerEntry.move(self.customer_id, LedgerEntry.Kind.FREED, received, source=self, target=None)
        return True


class InvoiceEvent(Event):
    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="events", verbose_name=_("invoice"))

    class Meta(Event.Meta):
        verbose_name = _("invoice event")
        verbose_name_plural = _("invoice events")


class InvoiceLine(models.Model):
    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="lines", verbose_name=_("invoice"))
    name_fa = models.CharField(_("name in Persian"), max_length=170)
    name_en = models.CharField(_("name in English"), max_length=170)
    amount = models.BigIntegerField(_("amount (Rial)"))

    class Meta:
        verbose_name = _("invoice line")
        verbose_name_plural = _("invoice lines")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return in_our_words(self, "name")


class LedgerQuerySet(models.QuerySet["LedgerEntry"]):
    def visible_to(self, customer: Customer) -> Self:
        return self.filter(customer=customer)

    def credit(self) -> Self:
        """What belongs to no invoice."""
        return self.filter(invoice=None)

    def total(self) -> int:
        return self.aggregate(sum=Sum("amount"))["sum"] or 0

    def received_and_credit(self, invoice: Invoice) -> tuple[int, int]:
        """Rials that arrived for the invoice, and that its customer has as credit."""
        sums = self.filter(customer=invoice.customer_id).aggregate(
            received=Sum("amount", filter=Q(invoice=invoice)), credit=Sum("amount", filter=Q(invoice=None))
        )
        return sums["received"] or 0, sums["credit"] or 0


class LedgerEntry(models.Model):
    """Money that moved for a customer: to an invoice, or to the credit where there is none.

    Rows are only ever added. What was paid for an invoice, and what a customer has as credit, are sums; the database
    lets neither of them fall below zero.
    """

    class Kind(models.TextChoices):
        PAYMENT = "payment", _("Payment of an invoice")
        CREDIT = "credit", _("Received, not applied to an invoice")
        USED = "used", _("Credit used for an invoice")
        FREED = "freed", _("Money of an invoice that is due no more")
        REFUND = "refund", _("Given back")

    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="ledger", verbose_name=_("customer")
    )
    payment = models.ForeignKey(
        "billing.Payment", models.PROTECT, null=True, related_name="ledger", verbose_name=_("payment")
    )
    invoice = models.ForeignKey(Invoice, models.PROTECT, null=True, related_name="ledger", verbose_name=_("invoice"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    amount = models.BigIntegerField(_("amount (Rial)"))
    at = models.DateTimeField(_("at"), default=timezone.now)

    objects = LedgerQuerySet.as_manager()

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="billing_ledgerentry_moves_money"),
            models.CheckConstraint(
                condition=Q(kind="payment", invoice__isnull=False, payment__isnull=False, amount__gt=0)
                | Q(kind="credit", invoice__isnull=True, payment__isnull=False, amount__gt=0)
                | Q(kind="refund", invoice__isnull=True, payment__isnull=False)
                | Q(kind__in=["used", "freed"], payment__isnull=True),
                name="billing_ledgerentry_kind_fits",
            ),
            models.UniqueConstraint(
                fields=["payment"],
                condition=Q(kind__in=["payment", "credit"]),
                name="billing_ledgerentry_payment_arrives_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"

    @classmethod
    def move(cls, customer: UUID, kind: Kind, amount: int, *, source: Invoice | None, target: Invoice | None) -> None:
        """Rials from an invoice to the credit, or the other way: two rows whose sum is nothing."""
        for invoice, moved in ((source, -amount), (target, amount)):
            cls.objects.create(customer_id=customer, invoice=invoice, kind=kind, amount=moved)
