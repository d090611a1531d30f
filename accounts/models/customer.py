"""A person with an account."""

import secrets
import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.sealed.fields import SealedCharField, SealedDateField, SealedEmailField, SealedTextField
from portal.sealed.index import BlindIndexField, BlindTagField, SealedModel, SealedQuerySet
from portal.sealed.normal import n_digits, n_text


def new_ref() -> str:
    """Twelve random characters that stand for a person wherever a name must not."""
    return secrets.token_hex(6)


class CustomerQuerySet(SealedQuerySet):
    def called(self, words: str) -> "list[Customer] | None":
        """Customers of this surname, or of this name and surname; None when too many could be meant."""
        found = self.alike("surname", words)
        first, _space, last = n_text(words).partition(" ")
        if found or not last:
            return found
        family = self.alike("surname", last)
        return family and [customer for customer in family if n_text(customer.name or "") == first]

    def reader_ids(self, customers: Any, purpose: str) -> Any:
        """`readers` of many at once, for SQL: (customer, reader, language in which the customer is written to).

        `customers` are primary keys, or a query for them. Whose account is closed is left out, and gets nothing as a
        reader for others.
        """
        from accounts.models.company import READS  # which stands on this row

        active = self.filter(pk__in=customers, is_active=True)
        people = active.filter(kind=Customer.Kind.PERSON).annotate(reader_id=models.F("pk"))
        roles = [role for role, purposes in READS.items() if purpose in purposes]
        members = active.filter(
            kind=Customer.Kind.COMPANY,
            company__memberships__role__in=roles,
            company__memberships__person__is_active=True,
        ).annotate(reader_id=models.F("company__memberships__person"))
        columns = ("pk", "reader_id", "language")
        return people.values_list(*columns).union(members.values_list(*columns), all=True)


class CustomerManager(BaseUserManager.from_queryset(CustomerQuerySet)):  # type: ignore[misc]
    """Makes customers and staff."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Customer":
        customer = self.model(email=email, **fields)
        customer.set_password(password)
        customer.save()
        return customer  # type: ignore[no-any-return]


class Customer(AbstractBaseUser, PermissionsMixin, SealedModel):
    """A person with an account; staff are customers who may enter the staff screens."""

    class Gender(models.TextChoices):
        WOMAN = "woman", _("Woman")
        MAN = "man", _("Man")
        UNSAID = "unsaid", _("I would rather not say")

    class Kind(models.TextChoices):
        PERSON = "person", _("Person")
        COMPANY = "company", _("Company")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(
        _("kind"), max_length=8, choices=Kind.choices, default=Kind.PERSON, db_default=Kind.PERSON, editable=False
    )
    ref = models.CharField(_("reference"), max_length=12, unique=True, default=new_ref, editable=False)

    email = SealedEmailField(_("e-mail"), null=True, blank=True)
    email_bi = BlindIndexField("email", n_text, unique=True)
    mobile = SealedCharField(_("mobile"), max_length=20, null=True, blank=True)
    mobile_bi = BlindIndexField("mobile", n_digits, unique=True)
    mobile_verified_at = models.DateTimeField(_("mobile verified at"), null=True, blank=True)

    name = SealedCharField(_("name"), max_length=80, null=True, blank=True)
    surname = SealedCharField(_("surname"), max_length=80, null=True, blank=True)
    surname_tag = BlindTagField("surname", n_text, db_index=True)
    gender = SealedCharField(_("gender"), max_length=10, choices=Gender.choices, null=True, blank=True)
    birth_date = SealedDateField(_("date of birth"), null=True, blank=True)
    national_code = SealedCharField(_("national code"), max_length=10, null=True, blank=True)
    national_code_bi = BlindIndexField("national_code", n_digits, unique=True)
    landline = SealedCharField(_("landline"), max_length=20, null=True, blank=True)
    landline_bi = BlindIndexField("landline", n_digits, db_index=True)
    address = SealedTextField(_("address"), null=True, blank=True)
    postal_code = SealedCharField(_("postal code"), max_length=10, null=True, blank=True)

    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES, default="fa")
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    session_epoch = models.PositiveIntegerField(default=0, db_default=0, editable=False)  # earlier sessions are over
    joined_at = models.DateTimeField(_("joined at"), default=timezone.now, editable=False)

    USERNAME_FIELD = "ref"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = CustomerManager()  # type: ignore[misc]

    # What the policy calls personal information, in the order in which people are asked for it.
    PERSONAL = (
        "name",
        "surname",
        "gender",
        "birth_date",
        "national_code",
        "mobile",
        "landline",
        "email",
        "address",
        "postal_code",
    )

    NEEDED = tuple(field for field in PERSONAL if field not in ("landline", "gender"))  # before anything is ordered

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        permissions = [("suspend_customer", _("Can suspend customers and lift it"))]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *(
                models.CheckConstraint(
                    condition=models.Q(**{f"{field}__isnull": True, f"{index}__isnull": True})
                    | models.Q(**{f"{field}__isnull": False, f"{index}__isnull": False}),
                    name=f"accounts_customer_{field}_has_its_index",
                )
                for field, index in (
                    ("email", "email_bi"),
                    ("mobile", "mobile_bi"),
                    ("national_code", "national_code_bi"),
                    ("landline", "landline_bi"),
                    ("surname", "surname_tag"),
                )
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="company")
                | models.Q(
                    email__isnull=True,
                    mobile__isnull=True,
                    national_code__isnull=True,
                    surname__isnull=True,
                    is_staff=False,
                    is_superuser=False,
                ),
                name="accounts_customer_in_a_companys_name_nobody_signs_in",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=("person", "company")), name="accounts_customer_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.ref

    @classmethod
    def label(cls, name: str) -> str:
        """What people call a personal field, or the photo."""
        if name == "photo_id":
            return str(_("photo of your ID card"))
        model = cls if name in cls.PERSONAL else cls._meta.get_field("company").related_model
        return str(model._meta.get_field(name).verbose_name)  # type: ignore[union-attr]

    @property
    def is_profile_complete(self) -> bool:
        # Whether a field is filled shows without opening it, on every page that somebody opens.
        needed = ("name", "address", "postal_code") if self.is_company else self.NEEDED
        return all(self.__dict__.get(field) for field in needed)

    @property
    def is_company(self) -> bool:
        return self.kind == self.Kind.COMPANY

    def readers(self, purpose: str) -> "list[Customer]":
        """Who gets a message of this purpose: the person herself; of a company, whoever's role it is for."""
        if not self.is_company:
            return [self]
        members = self.company.memberships.select_related("person")
        return [member.person for member in members if purpose in member.reads and member.person.is_active]

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Django's own, which stands in each session, and the epoch; it has no public way to add to it (5.2)."""
        return f"{super()._get_session_auth_hash(secret)}{self.session_epoch:x}"  # type: ignore[misc]

    def get_full_name(self) -> str:
        return " ".join(part for part in (self.name, self.surname) if part)
