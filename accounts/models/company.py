"""A company that is a customer, its people, and who is invited to join them."""

import datetime as dt
import hashlib
import secrets
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.customer import Customer
from portal.areas import AREAS
from portal.sealed.fields import SealedCharField, SealedEmailField
from portal.sealed.index import BlindIndexField, SealedModel, SealedQuerySet
from portal.sealed.normal import n_digits, n_text

INVITATION_LASTS = dt.timedelta(days=7)
A_DAY_AT_MOST = 20  # invitations of one company; nobody writes to strangers through us all day


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    BILLING = "billing", _("Billing")
    TECHNICAL = "technical", _("Technical")


# Which pages each role opens, and which messages it gets (purposes of notifications/models/outbox.py).
MAY: dict[str, frozenset[str]] = {
    Role.OWNER: frozenset(AREAS),
    Role.BILLING: frozenset({"home", "services", "orders", "invoices", "messages"}),
    Role.TECHNICAL: frozenset({"home", "services", "tickets", "messages"}),
}
READS: dict[str, frozenset[str]] = {
    Role.OWNER: frozenset({"code", "security", "money", "ticket", "service", "legal"}),
    Role.BILLING: frozenset({"money"}),
    Role.TECHNICAL: frozenset({"ticket", "service"}),
}


class LastOwner(Exception):
    """A company without an owner could never be changed again."""


class CompanyQuerySet(SealedQuerySet):
    def visible_to(self, person: Customer) -> Self:
        return self.filter(memberships__person=person)

    def owned_by(self, person: Customer) -> Self:
        return self.filter(memberships__person=person, memberships__role=Role.OWNER)


class Company(SealedModel):
    """What a company is besides a customer: name, address and landline stand in its row of customers, where nobody can
    sign in; its people act for it.
    """

    customer = models.OneToOneField(Customer, models.CASCADE, primary_key=True, related_name="company")
    national_id = SealedCharField(_("national ID of the company"), max_length=11)
    national_id_bi = BlindIndexField("national_id", n_digits, unique=True)
    registration_number = SealedCharField(_("registration number"), max_length=10)
    economic_code = SealedCharField(_("economic code"), max_length=14, null=True, blank=True)

    PERSONAL: ClassVar[tuple[str, ...]] = ("national_id", "registration_number", "economic_code")
    objects = CompanyQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("companies")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(national_id_bi__isnull=False), name="accounts_company_national_id_has_its_index"
            )
        ]

    def __str__(self) -> str:
        return self.customer.ref

    def get_absolute_url(self) -> str:
        return reverse("company", args=[self.customer.ref])

    @property
    def ref(self) -> str:
        return self.customer.ref

    @property
    def name(self) -> str:
        return str(self.customer.name or self.customer.ref)


class MembershipQuerySet(models.QuerySet["Membership"]):
    def visible_to(self, person: Customer) -> Self:
        return self.filter(person=person)


class Membership(models.Model):
    """Somebody acts for a company, in one role."""

    company = models.ForeignKey(Company, models.CASCADE, related_name="memberships", verbose_name=_("company"))
    person = models.ForeignKey(Customer, models.CASCADE, related_name="memberships", verbose_name=_("person"))
    role = models.CharField(_("role"), max_length=10, choices=Role.choices)
    joined_at = models.DateTimeField(_("joined at"), default=timezone.now, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = ["joined_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["company", "person"], name="accounts_membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="accounts_membership_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.company_id} {self.person_id} {self.role}"

    @property
    def reads(self) -> frozenset[str]:
        """Messages of which purposes the person gets."""
        return READS[self.role]

    def change_role(self, role: str) -> bool:
        """False when it was so already; raises LastOwner."""
        with transaction.atomic():
            self._keep_an_owner(unless=role == Role.OWNER)
            return type(self).objects.filter(pk=self.pk).exclude(role=role).update(role=role) == 1

    def end(self) -> bool:
        """The person acts for the company no more. False when it was so already; raises LastOwner."""
        with transaction.atomic():
            self._keep_an_owner()
            return bool(type(self).objects.filter(pk=self.pk).delete()[0])

    def _keep_an_owner(self, *, unless: bool = False) -> None:
        """Under a lock of the company, so that two owners who leave at once take turns."""
        Company.objects.select_for_update().only("pk").get(pk=self.company_id)
        owners = set(type(self).objects.filter(company=self.company_id, role=Role.OWNER).values_list("pk", flat=True))
        if owners == {self.pk} and not unless:
            raise LastOwner


class InvitationQuerySet(SealedQuerySet):
    def open(self) -> Self:
        return self.filter(answered_at=None, at__gt=timezone.now() - INVITATION_LASTS)

    def opened_by(self, token: str) -> "Invitation | None":
        """The invitation whose link holds this token."""
        digest = hashlib.sha256(token.encode()).hexdigest()
        return self.open().filter(token_hash=digest).select_related("company__customer").first()  # type: ignore[return-value]


class Invitation(SealedModel):
    """An owner asks somebody by e-mail to act for the company. Only who has this e-mail can accept."""

    sealed_to = "token_hash"
    company = models.ForeignKey(Company, models.CASCADE, related_name="invitations", verbose_name=_("company"))
    email = SealedEmailField(_("e-mail"))
    email_bi = BlindIndexField("email", n_text, db_index=True)
    role = models.CharField(_("role"), max_length=10, choices=Role.choices)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)  # SHA-256; the token is 128 random bits
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("invited by")
    )
    at = models.DateTimeField(_("at"), default=timezone.now, editable=False)
    answered_at = models.DateTimeField(_("answered at"), null=True, editable=False)

    objects = InvitationQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "email_bi"],
                condition=models.Q(answered_at=None),
                name="accounts_invitation_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(email_bi__isnull=False), name="accounts_invitation_email_has_its_index"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.company_id} {self.role}"

    @property
    def until(self) -> dt.datetime:
        return self.at + INVITATION_LASTS

    @classmethod
    def new(cls, **fields: Any) -> tuple["Invitation", str]:
        """The row and the token of its link; only the token's hash is kept."""
        token = secrets.token_urlsafe(16)
        return cls.objects.create(token_hash=hashlib.sha256(token.encode()).hexdigest(), **fields), token

    def answer(self) -> bool:
        """Accepted, declined or withdrawn: the link opens nothing more. False when it was so already."""
        return type(self).objects.open().filter(pk=self.pk).update(answered_at=timezone.now()) == 1
