"""Who of our staff looked at personal information."""

from typing import Self

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.customer import Customer
from portal.sealed.fields import SealedTextField
from portal.sealed.index import SealedModel, SealedQuerySet


class LookQuerySet(SealedQuerySet):
    def visible_to(self, customer: Customer) -> Self:
        return self.filter(customer=customer)


class Look(SealedModel):
    """Somebody of our staff looked at personal information: which fields, when and why. Append-only."""

    sealed_to = "customer_id"
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="looks", verbose_name=_("customer"))
    staff = models.ForeignKey(Customer, models.PROTECT, related_name="+", verbose_name=_("staff"))
    fields = models.JSONField(_("fields"))  # names of fields, never their values
    why = SealedTextField(_("reason"))
    at = models.DateTimeField(_("at"), default=timezone.now)

    objects = LookQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("look at personal information")
        verbose_name_plural = _("looks at personal information")
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.customer} {self.at:%Y-%m-%d %H:%M}"

    @property
    def labels(self) -> list[str]:
        """The fields in the reader's words."""
        return [Customer.label(name) for name in self.fields]

    def get_absolute_url(self) -> str:
        return reverse("access_log")
