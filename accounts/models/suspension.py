"""An account that staff have closed for a time: why, by whom, and until when."""

from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.customer import Customer
from portal.sealed.fields import SealedTextField
from portal.sealed.index import SealedModel, SealedQuerySet


class SuspensionQuerySet(SealedQuerySet):
    def standing(self) -> Self:
        return self.filter(lifted_at=None)


class Suspension(SealedModel):
    """While one of a customer's stands, nobody signs in to the account."""

    sealed_to = "customer_id"
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="suspensions", verbose_name=_("customer"))
    why = SealedTextField(_("reason"))
    at = models.DateTimeField(_("at"), default=timezone.now, editable=False)
    by = models.ForeignKey(Customer, models.PROTECT, related_name="+", verbose_name=_("by"))
    lifted_at = models.DateTimeField(_("lifted at"), null=True, blank=True, editable=False)
    lifted_by = models.ForeignKey(
        Customer, models.PROTECT, related_name="+", verbose_name=_("lifted by"), null=True, blank=True
    )

    objects = SuspensionQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("suspension")
        verbose_name_plural = _("suspensions")
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=models.Q(lifted_at=None), name="accounts_suspension_one_stands"
            ),
            models.CheckConstraint(
                condition=models.Q(lifted_at__isnull=True, lifted_by__isnull=True)
                | models.Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="accounts_suspension_lifted_by_somebody",
            ),
            models.CheckConstraint(condition=~models.Q(by=models.F("customer")), name="accounts_suspension_not_own"),
        ]

    def __str__(self) -> str:
        return f"{self.customer} {self.at:%Y-%m-%d %H:%M}"

    def lift(self, staff: Customer) -> bool:
        """False when a colleague was faster."""
        standing = Suspension.objects.standing().filter(pk=self.pk)
        return standing.update(lifted_at=timezone.now(), lifted_by=staff) == 1
