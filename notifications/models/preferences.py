"""How a reader wishes to be reached, within what we owe her."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

QUIET = (dt.time(22), dt.time(8))  # of who chose nothing


class Preference(models.Model):
    """A reader's own choice; no row means the usual: quiet from 22:00 to 08:00, each answer by itself.

    The hours are those of Tehran's clock; two that are the same mean that no hour is quiet.
    """

    reader = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="preference",
        verbose_name=_("reader"),
    )
    quiet_from = models.TimeField(_("quiet from"), default=QUIET[0])
    quiet_until = models.TimeField(_("quiet until"), default=QUIET[1])
    digest = models.BooleanField(_("answers in one message"), default=False)
    changed_at = models.DateTimeField(_("changed at"), default=timezone.now)

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")

    def __str__(self) -> str:
        return str(self.reader_id)

    @classmethod
    def by_reader(cls, readers: Iterable[Any]) -> dict[Any, Self]:
        """The rows of those who chose, by the reader's key: one query, however many they are."""
        return cls.objects.in_bulk([reader.pk for reader in readers])
