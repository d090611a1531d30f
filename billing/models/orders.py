"""What a customer ordered, and the service that runs from it."""

import secrets
from collections.abc import Collection
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Customer
from billing.money import month_later
from notifications.models import Component
from portal.tongue import in_our_words

from .catalogue import Option, Plan
from .steps import Event, step


def new_order_number() -> str:
    """Ten random digits: readable over the phone, and saying nothing of how many orders there are."""
    return str(10**9 + secrets.randbelow(9 * 10**9))


def new_service_id() -> str:
    return secrets.token_urlsafe(12)


class OrderQuerySet(models.QuerySet["Order"]):
    def visible_to(self, customer: Customer) -> Self:
        return self.filter(customer=customer)


class Order(models.Model):
    """A plan with at most one option, at the prices of the moment of ordering."""

    class Status(models.TextChoices):
        PLACED = "placed", _("Waiting for payment")
        PAID = "paid", _("Paid")
        CANCELLED = "cancelled", _("Cancelled")

    NEXT: ClassVar[dict[Status, set[Status]]] = {
        Status.PLACED: {Status.PAID, Status.CANCELLED},
        Status.PAID: {Status.CANCELLED},
        Status.CANCELLED: set(),
    }
    TONE: ClassVar[dict[Status, str]] = {Status.PLACED: "wait", Status.PAID: "ok", Status.CANCELLED: "off"}

    number = models.CharField(_("number"), max_length=10, unique=True, default=new_order_number, editable=False)
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="orders", verbose_name=_("customer")
    )
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="+", verbose_name=_("plan"))
    option = models.ForeignKey(Option, models.PROTECT, null=True, related_name="+", verbose_name=_("option"))
    plan_price = models.BigIntegerField(_("monthly price (Rial)"))
    option_price = models.BigIntegerField(_("option's monthly price (Rial)"), default=0)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.PLACED)
    form_token = models.CharField(max_length=64, editable=False)
    placed_at = models.DateTimeField(_("placed at"), default=timezone.now, editable=False)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-placed_at", "-id"]
        constraints = [
            # A form that is sent twice is one order.
            models.UniqueConstraint(fields=["customer", "form_token"], name="billing_order_form_sent_once"),
            models.CheckConstraint(
                condition=models.Q(plan_price__gt=0, option_price__gte=0), name="billing_order_prices_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def tone(self) -> str:
        return self.TONE[self.Status(self.status)]

    @property
    def can_be_cancelled(self) -> bool:
        return self.status == self.Status.PLACED

    def _move_to(self, status: Status) -> bool:
        return step(self, status)

    def pay(self) -> bool:
        return self._move_to(self.Status.PAID)

    def cancel(self) -> bool:
        return self._move_to(self.Status.CANCELLED)


class OrderEvent(Event):
    order = models.ForeignKey(Order, models.CASCADE, related_name="events", verbose_name=_("order"))

    class Meta(Event.Meta):
        verbose_name = _("order event")
        verbose_name_plural = _("order events")


class ServiceQuerySet(models.QuerySet["Service"]):
    def visible_to(self, customer: Customer) -> Self:
        return self.filter(customer=customer)

    def not_ended(self) -> Self:
        return self.exclude(status=Service.Status.ENDED)

    def running_on(self, component_ids: Collection[int]) -> Self:
        """Active ones whose plan, or which themselves, run on any of these components."""
        plans = Plan.components.through._default_manager.filter(component__in=component_ids).values("plan")
        services = Service.components.through._default_manager.filter(component__in=component_ids).values("service")
        on_these = models.Q(order__plan__in=plans) | models.Q(pk__in=services)
        return self.filter(on_these, status=Service.Status.ACTIVE)


class Service(models.Model):
    """What runs for a customer, by the name it had when it was ordered."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Waiting for payment")
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")
        ENDED = "ended", _("Ended")

    NEXT: ClassVar[dict[Status, set[Status]]] = {
        Status.PENDING: {Status.ACTIVE, Status.ENDED},
        Status.ACTIVE: {Status.SUSPENDED, Status.ENDED},
        Status.SUSPENDED: {Status.ACTIVE, Status.ENDED},
        Status.ENDED: set(),
    }
    TONE: ClassVar[dict[Status, str]] = {
        Status.PENDING: "wait",
        Status.ACTIVE: "ok",
        Status.SUSPENDED: "bad",
        Status.ENDED: "off",
    }

    public_id = models.CharField(max_length=32, unique=True, default=new_service_id, editable=False)
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="services", verbose_name=_("customer")
    )
    order = models.OneToOneField(Order, models.PROTECT, related_name="service", verbose_name=_("order"))
    name_fa = models.CharField(_("name in Persian"), max_length=170)
    name_en = models.CharField(_("name in English"), max_length=170)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.PENDING)
    active_from = models.DateField(_("active from"), null=True)
    paid_until = models.DateField(_("paid until"), null=True)
    # Beside those of its plan: a server that only this customer's service stands on.
    components = models.ManyToManyField(Component, blank=True, related_name="+", verbose_name=_("also runs on"))

    objects = ServiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("service")
        verbose_name_plural = _("services")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(status="active") | models.Q(active_from__isnull=False, paid_until__isnull=False),
                name="billing_service_active_has_its_days",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("service", args=[self.public_id])

    @property
    def name(self) -> str:
        return in_our_words(self, "name")

    @property
    def tone(self) -> str:
        return self.TONE[self.Status(self.status)]

    def _move_to(self, status: Status, **changes: Any) -> bool:
        return step(self, status, **changes)

    def activate(self) -> bool:
        """Start the first paid month today."""
        today = timezone.localdate()
        return self._move_to(self.Status.ACTIVE, active_from=today, paid_until=month_later(today))

    def end(self) -> bool:
        return self._move_to(self.Status.ENDED)


class ServiceEvent(Event):
    service = models.ForeignKey(Service, models.CASCADE, related_name="events", verbose_name=_("service"))

    class Meta(Event.Meta):
        verbose_name = _("service event")
        verbose_name_plural = _("service events")

    @property
    def title(self) -> str:
        return str(Service.Status(self.now).label)

    @property
    def tone(self) -> str:
        return Service.TONE[Service.Status(self.now)]
