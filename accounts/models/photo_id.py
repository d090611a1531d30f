"""The photo of an ID card, from the upload to the review."""

import uuid
from typing import Any, ClassVar, Self

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.customer import Customer
from portal.sealed import files
from portal.sealed.fields import SealedCharField, SealedTextField
from portal.sealed.index import SealedModel, SealedQuerySet


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
