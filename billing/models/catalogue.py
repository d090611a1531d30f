"""What can be ordered, at what price, and the tax on it."""

from datetime import date
from typing import Self

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from notifications.models import Component
from portal.tongue import in_our_words


class PlanQuerySet(models.QuerySet["Plan"]):
    def on_sale(self) -> Self:
        return self.filter(is_on_sale=True)


class Plan(models.Model):
    """A service by the month. Prices are Rials before tax."""

    slug = models.SlugField(_("address"), max_length=40, unique=True)
    name_fa = models.CharField(_("name in Persian"), max_length=80)
    name_en = models.CharField(_("name in English"), max_length=80)
    about_fa = models.TextField(_("description in Persian"))
    about_en = models.TextField(_("description in English"))
    monthly_price = models.BigIntegerField(_("monthly price (Rial)"))
    is_on_sale = models.BooleanField(_("on sale"), default=True)
    components = models.ManyToManyField(Component, blank=True, related_name="+", verbose_name=_("runs on"))

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        ordering = ["monthly_price", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(monthly_price__gt=0), name="billing_plan_price_positive"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("plan", args=[self.slug])

    @property
    def name(self) -> str:
        return in_our_words(self, "name")

    @property
    def about(self) -> str:
        return in_our_words(self, "about")


class Option(models.Model):
    """Something added to a plan, for its own monthly price."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="options", verbose_name=_("plan"))
    slug = models.SlugField(_("address"), max_length=40)
    name_fa = models.CharField(_("name in Persian"), max_length=80)
    name_en = models.CharField(_("name in English"), max_length=80)
    monthly_price = models.BigIntegerField(_("monthly price (Rial)"))

    class Meta:
        verbose_name = _("option")
        verbose_name_plural = _("options")
        ordering = ["monthly_price", "id"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "slug"], name="billing_option_slug_in_plan"),
            models.CheckConstraint(condition=models.Q(monthly_price__gte=0), name="billing_option_price_not_negative"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return in_our_words(self, "name")


class TaxRateQuerySet(models.QuerySet["TaxRate"]):
    def on(self, day: date) -> "TaxRate":
        """The rate in force that day."""
        return self.filter(valid_from__lte=day).latest("valid_from")


class TaxRate(models.Model):
    """Value added tax from a day on, until the next row's day."""

    valid_from = models.DateField(_("valid from"), unique=True)
    hundredths = models.PositiveIntegerField(_("rate"), help_text=_("In hundredths of a percent: 1000 is 10 %."))

    objects = TaxRateQuerySet.as_manager()

    class Meta:
        verbose_name = _("tax rate")
        verbose_name_plural = _("tax rates")
        ordering = ["-valid_from"]
        constraints = [
            models.CheckConstraint(condition=models.Q(hundredths__lte=10_000), name="billing_taxrate_at_most_all"),
        ]

    def __str__(self) -> str:
        return f"{percent(self.hundredths)} %"


def percent(hundredths: int) -> str:
    """1000 is "10", 950 is "9.5"."""
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)
