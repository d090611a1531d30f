"""The photo of an ID card, from the upload to the review."""

import datetime as dt
import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
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

    def run_out(self) -> Self:
        """Approved for a card that is valid no more."""
        return self.filter(status=PhotoId.Status.APPROVED, expires_on__lt=timezone.localdate())

    def kept_long_enough(self) -> Self:
        """Reviewed so long ago that the picture itself is needed no more."""
        long_ago = timezone.now() - dt.timedelta(days=settings.PHOTO_ID_KEPT_DAYS)
        return self.filter(reviewed_at__lt=long_ago).exclude(file="")


class PhotoId(SealedModel):
    """A photo of an ID card: sealed file, reviewed by staff."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("Waiting for review")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Refused")
        EXPIRED = "expired", _("Expired")
        ASKED_AGAIN = "asked_again", _("Asked for again")
        REPLACED = "replaced", _("Replaced")

    NEXT: ClassVar[dict[Status, set[Status]]] = {
        Status.WAITING: {Status.APPROVED, Status.REFUSED, Status.REPLACED},
        Status.APPROVED: {Status.EXPIRED, Status.ASKED_AGAIN},
        Status.REFUSED: {Status.REPLACED},
        Status.EXPIRED: {Status.REPLACED},
        Status.ASKED_AGAIN: {Status.REPLACED},
        Status.REPLACED: set(),
    }
    TONE: ClassVar[dict[Status, str]] = {
        Status.WAITING: "wait",
        Status.APPROVED: "ok",
        Status.REFUSED: "bad",
        Status.EXPIRED: "bad",
        Status.ASKED_AGAIN: "bad",
        Status.REPLACED: "off",
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="photo_ids", verbose_name=_("customer"))
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.WAITING)
    file = models.CharField(max_length=80, blank=True, editable=False)
    file_key = SealedCharField(max_length=64, null=True, blank=True, editable=False)
    reason = SealedTextField(_("reason that the customer reads"), null=True, blank=True)
    submitted_at = models.DateTimeField(_("submitted at"), default=timezone.now, editable=False)
    reviewed_at = models.DateTimeField(_("reviewed at"), null=True, editable=False)
    reviewed_by = models.ForeignKey(
        Customer, models.PROTECT, null=True, related_name="+", editable=False, verbose_name=_("reviewed by")
    )
    expires_on = models.DateField(_("valid until"), null=True, blank=True, editable=False)

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
                condition=~models.Q(status__in=["refused", "asked_again"]) | models.Q(reason__isnull=False),
                name="accounts_photoid_refusal_has_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(reviewed_by=None) | ~models.Q(reviewed_by=models.F("customer")),
                name="accounts_photoid_nobody_reviews_their_own",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="approved") | models.Q(expires_on__isnull=False),
                name="accounts_photoid_approval_has_its_end",
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

    @property
    def kept_until(self) -> dt.date | None:
        """The day on which the picture is shredded, once it was reviewed."""
        if not self.reviewed_at or not self.file:
            return None
        return timezone.localdate(self.reviewed_at) + dt.timedelta(days=settings.PHOTO_ID_KEPT_DAYS)

    def keep(self, jpeg: bytes) -> None:
        """Seal the picture into storage; the row that opens it is saved afterwards."""
        self.file, self.file_key = files.put(jpeg, aad=self.aad)

    def picture(self) -> bytes:
        """The JPEG, opened. Who calls this writes a Look first."""
        return files.get(self.file, self.file_key, aad=self.aad)

    def shred(self) -> None:
        """Lose the picture for good; the outcome of the review stays."""
        self.lose()
        self.save(update_fields=["file", "file_key"])

    def lose(self) -> None:
        """The file goes with the transaction, the row is saved by who called."""
        name, self.file, self.file_key = self.file, "", None
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

    def approve(self, staff: Customer, expires_on: dt.date) -> bool:
        return self._move_to(self.Status.APPROVED, **self._by(staff), expires_on=expires_on)

    def refuse(self, staff: Customer, reason: str) -> bool:
        return self._move_to(self.Status.REFUSED, **self._by(staff), reason=reason)

    def _by(self, staff: Customer) -> dict[str, Any]:
        if staff.pk == self.customer_id:
            raise ValueError("photo ID: nobody reviews their own")
        return {"reviewed_by": staff, "reviewed_at": timezone.now()}

    def expire(self) -> bool:
        return self._move_to(self.Status.EXPIRED)

    def ask_again(self, reason: str) -> bool:
        return self._move_to(self.Status.ASKED_AGAIN, reason=reason)

    def replace(self) -> bool:
        return self._move_to(self.Status.REPLACED)
