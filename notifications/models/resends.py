"""Who of us sent a message again that had not arrived, and why."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .outbox import Delivery


class Resend(models.Model):
    """Written once, never changed (a trigger of the database sees to it)."""

    class Why(models.TextChoices):
        """A closed list, so that nobody's name or address gets into it."""

        ASKED = "asked", _("The customer asked for it")
        ADDRESS = "address", _("The address was corrected")
        PROVIDER = "provider", _("The provider was at fault")
        WORDS = "words", _("The words were mended")

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="resends", verbose_name=_("delivery"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    why = models.CharField(_("reason"), max_length=8, choices=Why.choices)
    at = models.DateTimeField(_("at"), db_default=Now())

    class Meta:
        verbose_name = _("sent again")
        verbose_name_plural = _("sent again")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(why__in=("asked", "address", "provider", "words")),
                name="notifications_resend_reason_is_known",
            )
        ]

    def __str__(self) -> str:
        return self.why
