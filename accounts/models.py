"""Who you are, who has seen it, and the photo of your ID card."""

import secrets
import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.sealed import files
from portal.sealed.fields import SealedCharField, SealedDateField, SealedEmailField, SealedTextField
from portal.sealed.index import BlindIndexField, SealedModel, SealedQuerySet, n_digits, n_text


def new_ref() -> str:
    """Twelve random characters that stand for a person wherever a name must not."""
    return secrets.token_hex(6)


class CustomerManager(BaseUserManager.from_queryset(SealedQuerySet)):  # type: ignore[misc]
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

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ref = models.CharField(_("reference"), max_length=12, unique=True, default=new_ref, editable=False)

    email = SealedEmailField(_("e-mail"), null=True, blank=True)
    email_bi = BlindIndexField("email", n_text, unique=True)
    mobile = SealedCharField(_("mobile"), max_length=20, null=True, blank=True)
    mobile_bi = BlindIndexField("mobile", n_digits, unique=True)
    mobile_verified_at = models.DateTimeField(_("mobile verified at"), null=True, blank=True)

    name = SealedCharField(_("name"), max_length=80, null=True, blank=True)
    surname = SealedCharField(_("surname"), max_length=80, null=True, blank=True)
    gender = SealedCharField(_("gender"), max_length=10, choices=Gender.choices, null=True, blank=True)
    birth_date = SealedDateField(_("date of birth"), null=True, blank=True)
    national_code = SealedCharField(_("national code"), max_length=10, null=True, blank=True)
    national_code_bi = BlindIndexField("national_code", n_digits, unique=True)
    landline = SealedCharField(_("landline"), max_length=20, null=True, blank=True)
    address = SealedTextField(_("address"), null=True, blank=True)
    postal_code = SealedCharField(_("postal code"), max_length=10, null=True, blank=True)

    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES, default="fa")
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff"), default=False)
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

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(**{f"{field}__isnull": True, f"{field}_bi__isnull": True})
                | models.Q(**{f"{field}__isnull": False, f"{field}_bi__isnull": False}),
                name=f"accounts_customer_{field}_has_its_index",
            )
            for field in ("email", "mobile", "national_code")
        ]

    def __str__(self) -> str:
        return self.ref

    @classmethod
    def label(cls, name: str) -> str:
        """What people call a personal field, or the photo."""
        return str(_("photo of your ID card") if name == "photo_id" else cls._meta.get_field(name).verbose_name)  # type: ignore[union-attr]

    @property
    def is_profile_complete(self) -> bool:
        # Whether a field is filled shows without opening it, on every page that somebody opens.
        return all(self.__dict__.get(field) for field in self.PERSONAL if field not in ("landline", "gender"))

    def get_full_name(self) -> str:
        return " ".join(part for part in (self.name, self.surname) if part)


class PhotoIdQuerySet(SealedQuerySet):
    def visible_to(self, customer: Customer) -> Self:
        return self.filter(customer=customer)


class PhotoId(SealedModel):
    """A photo of an ID card: sealed file, reviewed by staff."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting for review")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Refused")
        REPLACED = "replaced", _("Replaced")

    NEXT: ClassVar[dict[Status, set[Status]]] = {
        Status.WAITING: {Status.APPROVED, Status.REFUSED, Status.REPLACED},
        Status.APPROVED: set(),
        Status.REFUSED: {Status.REPLACED},
        Status.REPLACED: set(),
    }
    TONE: ClassVar[dict[Status, str]] = {
        Status.WAITING: "wait",
        Status.APPROVED: "ok",
        Status.REFUSED: "bad",
        Status.REPLACED: "off",
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="photo_ids", verbose_name=_("customer"))
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.WAITING)
    file = models.CharField(max_length=80, blank=True, editable=False)
    file_key = SealedCharField(max_length=64, null=True, blank=True, editable=False)
    reason = SealedTextField(_("reason that the customer reads"), null=True, blank=True)
    submitted_at = models.DateTimeField(_("submitted at"), default=timezone.now, editable=False)
    reviewed_at = models.DateTimeField(_("reviewed at"), null=True, editable=False)
    reviewed_by = models.ForeignKey(
        Customer, models.PROTECT, null=True, related_name="+", editable=False, verbose_name=_("reviewed by")
    )

    objects = PhotoIdQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("photo ID")
        verbose_name_plural = _("photo IDs")
        ordering = ["-submitted_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=models.Q(status="waiting"), name="accounts_photoid_one_waiting"
            ),
            models.CheckConstraint(
                condition=~models.Q(status="refused") | models.Q(reason__isnull=False),
                name="accounts_photoid_refusal_has_reason",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def tone(self) -> str:
        return self.TONE[self.Status(self.status)]

    @property
    def aad(self) -> bytes:
        return b"photoid:" + self.id.bytes

    def keep(self, jpeg: bytes) -> None:
        """Seal the picture and save the row."""
        self.file, self.file_key = files.put(jpeg, aad=self.aad)
        self.save()

    def picture(self) -> bytes:
        """The JPEG, opened. Who calls this writes a Look first."""
        return files.get(self.file, self.file_key, aad=self.aad)

    def shred(self) -> None:
        """Lose the picture for good; the outcome of the review stays."""
        name, self.file, self.file_key = self.file, "", None
        self.save(update_fields=["file", "file_key"])
        if name:
            transaction.on_commit(lambda: files.shred(name))

    def _move_to(self, status: Status, **changes: Any) -> bool:
        """Under a row lock; False when already there, ValueError when `NEXT` does not allow it."""
        fresh = type(self).objects.select_for_update().get(pk=self.pk)
        if fresh.status == status:
            return False
        if status not in self.NEXT[self.Status(fresh.status)]:
            raise ValueError(f"photo ID: {fresh.status} → {status} is not allowed")
        for field, value in {"status": status, **changes}.items():
            setattr(self, field, value)
        self.save(update_fields=["status", *changes])
        return True

    def approve(self, staff: Customer) -> bool:
        return self._move_to(self.Status.APPROVED, reviewed_by=staff, reviewed_at=timezone.now())

    def refuse(self, staff: Customer, reason: str) -> bool:
        return self._move_to(self.Status.REFUSED, reviewed_by=staff, reviewed_at=timezone.now(), reason=reason)

    def replace(self) -> bool:
        return self._move_to(self.Status.REPLACED)


class LookQuerySet(SealedQuerySet):
    def visible_to(self, customer: Customer) -> Self:
        return self.filter(customer=customer)


class Look(SealedModel):
    """Somebody of our staff looked at personal information: which fields, when and why. Append-only."""

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
