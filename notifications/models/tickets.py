"""What you told us: tickets, their conversation and the files in it."""

import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models.expressions import Func, Value
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.sealed import files
from portal.sealed.fields import SealedCharField, SealedTextField
from portal.sealed.index import SealedModel, SealedQuerySet


class TicketClosed(Exception):
    """Nothing can be added to a closed ticket."""


class TicketQuerySet(SealedQuerySet):
    def visible_to(self, customer: Any) -> Self:
        return self.filter(customer=customer)

    def open(self) -> Self:
        return self.exclude(status=Ticket.Status.CLOSED)


class Ticket(SealedModel):
    """A question or problem of a customer, until it is closed."""

    sealed_to = "customer_id"

    class Status(models.TextChoices):
        OPEN = "open", _("Waiting for us")
        ANSWERED = "answered", _("Answered")
        CLOSED = "closed", _("Closed")

    NEXT: ClassVar[dict[Status, set[Status]]] = {
        Status.OPEN: {Status.ANSWERED, Status.CLOSED},
        Status.ANSWERED: {Status.OPEN, Status.CLOSED},
        Status.CLOSED: set(),
    }
    TONE: ClassVar[dict[Status, str]] = {Status.OPEN: "wait", Status.ANSWERED: "info", Status.CLOSED: "off"}

    number = models.BigIntegerField(
        _("number"),
        unique=True,
        editable=False,
        db_default=Func(Value("notifications_ticket_number"), function="nextval"),
    )
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="tickets", verbose_name=_("customer")
    )
    subject = SealedCharField(_("subject"), max_length=120, null=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.OPEN)
    opened_at = models.DateTimeField(_("opened at"), default=timezone.now, editable=False)
    changed_at = models.DateTimeField(_("changed at"), default=timezone.now, editable=False)
    closed_at = models.DateTimeField(_("closed at"), null=True, editable=False)

    objects = TicketQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering = ["-changed_at", "-id"]
        indexes = [models.Index(fields=["customer", "-changed_at"], name="notifications_ticket_of")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status="closed", closed_at__isnull=False)
                | (~models.Q(status="closed") & models.Q(closed_at__isnull=True)),
                name="notifications_ticket_closed_has_time",
            )
        ]

    def __str__(self) -> str:
        return str(self.number)

    def get_absolute_url(self) -> str:
        return reverse("ticket", args=[self.number])

    @property
    def tone(self) -> str:
        return self.TONE[self.Status(self.status)]

    @property
    def is_closed(self) -> bool:
        return self.status == self.Status.CLOSED

    def _move_to(self, status: Status, **changes: Any) -> bool:
        """Under a row lock; False when already there, ValueError when `NEXT` does not allow it."""
        fresh = type(self).objects.select_for_update().get(pk=self.pk)
        if fresh.status == status:
            self.status = status
            return False
        if status not in self.NEXT[self.Status(fresh.status)]:
            raise ValueError(f"ticket: {fresh.status} → {status} is not allowed")
        for field, value in {"status": status, "changed_at": timezone.now(), **changes}.items():
            setattr(self, field, value)
        self.save(update_fields=["status", "changed_at", *changes])
        return True

    def _check(self, person: Any, acting_for: Any) -> bool:
        """Whether this is one of our staff speaking; anybody else but the owner, or who acts for it, may not."""
        if (acting_for or person).pk == self.customer_id:
            return False
        if not person.is_staff:
            raise PermissionDenied
        return True

    def answer(self, author: Any, text: str, token: uuid.UUID | None = None, acting_for: Any = None) -> "TicketMessage":
        """Add to the conversation; whose turn it is changes with who spoke. `token` is the form's own."""
        by_staff = self._check(author, acting_for)
        if type(self).objects.select_for_update().get(pk=self.pk).is_closed:
            raise TicketClosed
        if not self._move_to(self.Status.ANSWERED if by_staff else self.Status.OPEN):
            type(self).objects.filter(pk=self.pk).update(changed_at=timezone.now())
        return self.messages.create(author=author, is_staff=by_staff, text=text, token=token or uuid.uuid4())

    def close(self, by: Any, acting_for: Any = None) -> bool:
        self._check(by, acting_for)
        return self._move_to(self.Status.CLOSED, closed_at=timezone.now())


class TicketMessage(SealedModel):
    """One turn in the conversation."""

    sealed_to = "token"
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="messages", verbose_name=_("ticket"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.RESTRICT, related_name="ticket_messages", verbose_name=_("author")
    )
    is_staff = models.BooleanField(_("from our staff"))
    text = SealedTextField(_("text"), null=True)
    at = models.DateTimeField(_("at"), default=timezone.now)
    token = models.UUIDField(default=uuid.uuid4, editable=False)  # of the form that brought it: sent twice is once

    class Meta:
        verbose_name = _("message of a ticket")
        verbose_name_plural = _("messages of tickets")
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["author", "token"], name="notifications_ticketmessage_one_a_form")
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.at:%Y-%m-%d %H:%M}"

    def attach(self, *, name: str, content_type: str, content: bytes) -> "Attachment":
        attachment = Attachment(message=self, name=name, content_type=content_type, size=len(content))
        attachment.file, attachment.file_key = files.put(content, aad=attachment.aad)
        attachment.save()
        return attachment


class AttachmentQuerySet(SealedQuerySet):
    def visible_to(self, customer: Any) -> Self:
        return self.filter(message__ticket__customer=customer)


class Attachment(SealedModel):
    """A file that came with a message, sealed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    message = models.ForeignKey(
        TicketMessage, models.CASCADE, related_name="attachments", verbose_name=_("message of a ticket")
    )
    name = SealedCharField(_("file name"), max_length=120, null=True)
    content_type = models.CharField(_("type"), max_length=40)
    size = models.PositiveIntegerField(_("bytes"))
    file = models.CharField(max_length=80, blank=True, editable=False)
    file_key = SealedCharField(max_length=64, null=True, editable=False)

    objects = AttachmentQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def aad(self) -> bytes:
        return b"attachment:" + self.id.bytes

    def content(self) -> bytes:
        return files.get(self.file, self.file_key, aad=self.aad)

    def shred(self) -> None:
        """Lose the file and its name for good."""
        name, self.file, self.file_key, self.name = self.file, "", None, None
        self.save(update_fields=["file", "file_key", "name"])
        if name:
            transaction.on_commit(lambda: files.shred(name))
