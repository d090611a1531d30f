"""How every order, service, invoice and payment goes from one status to the next, and leaves a trace of it."""

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ForbiddenMove(ValueError):
    """`NEXT` does not allow this step from the status that the row has now."""


class Event(models.Model):
    """One step: from which status to which, when, and why. Rows are only ever added; a payment's a trigger guards."""

    at = models.DateTimeField(_("at"), default=timezone.now)
    was = models.CharField(_("from"), max_length=12, blank=True)
    now = models.CharField(_("to"), max_length=12)
    code = models.CharField(_("code"), max_length=32, blank=True)
    note = models.CharField(_("note"), max_length=24, blank=True)

    class Meta:
        abstract = True
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.was} → {self.now}"


def step(row: Any, status: str, *, code: str = "", note: str = "", **changes: Any) -> bool:
    """Move a row under its lock and write the event; False when it is there already. Call inside a transaction."""
    rows = type(row)._base_manager.filter(pk=row.pk)
    new = {"status": status, **changes}
    was = row.status
    # The status that we saw is nearly always still true, and then checking, locking and writing are one statement.
    if status not in row.NEXT[row.Status(was)] or not rows.filter(status=was).update(**new):
        was = rows.select_for_update().values_list("status", flat=True).get()
        if was == status:
            return False
        if status not in row.NEXT[row.Status(was)]:
            raise ForbiddenMove(f"{row._meta.model_name} {row.pk}: {was} → {status} is not allowed")
        rows.update(**new)
    for field, value in new.items():
        setattr(row, field, value)
    row.events.create(was=was, now=status, code=code, note=note)
    return True
