"""A changed e-mail or mobile, which its owner can take back for three days."""

import datetime as dt
import hashlib
import secrets
from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.customer import Customer
from portal.sealed.fields import SealedCharField
from portal.sealed.index import BlindIndexField, SealedModel, SealedQuerySet
from portal.sealed.normal import n_text

UNDO_WITHIN = dt.timedelta(hours=72)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class ContactChangeQuerySet(SealedQuerySet):
    def open(self) -> Self:
        """Those that can still be undone."""
        return self.filter(undone_at=None, at__gt=timezone.now() - UNDO_WITHIN)

    def opened_by(self, token: str) -> "ContactChange | None":
        """The change whose link holds this token."""
        return self.open().filter(token_hash=_digest(token)).first()  # type: ignore[return-value]

    def reserved(self, address: str, *, against: Customer) -> bool:
        """Whether this address may yet go back to somebody else, so that nobody can take it meanwhile."""
        return self.open().filter(old=address).exclude(customer=against).exists()


class ContactChange(SealedModel):
    """The address that a customer had before. Only who reads messages sent to her can undo the change."""

    class What(models.TextChoices):
        EMAIL = "email", _("E-mail")
        MOBILE = "mobile", _("Mobile number")

    sealed_to = "customer_id"
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="contact_changes", verbose_name=_("customer"))
    what = models.CharField(_("what"), max_length=6, choices=What.choices)
    old = SealedCharField(_("before"), max_length=254)
    old_bi = BlindIndexField("old", n_text, db_index=True)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)  # SHA-256; the token is 128 random bits
    at = models.DateTimeField(_("at"), default=timezone.now, editable=False)
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True, editable=False)

    objects = ContactChangeQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("change of contact")
        verbose_name_plural = _("changes of contact")
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(old_bi__isnull=False), name="accounts_contactchange_old_has_its_index"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer} {self.what}"

    @property
    def until(self) -> dt.datetime:
        """The moment at which it can no longer be undone."""
        return self.at + UNDO_WITHIN

    def new_token(self) -> str:
        """What the link to undo it holds; only its hash is kept."""
        token = secrets.token_urlsafe(16)
        self.token_hash = _digest(token)
        return token
