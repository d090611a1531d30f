"""What we promised: each version of the policy, and who accepted which."""

import hashlib
from datetime import date
from typing import Any, NoReturn, Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Published(Exception):
    """Somebody tried to change or delete what was published."""


def hash_of(body: str) -> str:
    """SHA-256 of the text in UTF-8, as 64 hex digits: what a customer accepts is this and nothing else."""
    return hashlib.sha256(body.encode()).hexdigest()


class VersionQuerySet(models.QuerySet["Version"]):
    def effective(self, locale: str) -> Self:
        """Those that have taken effect, the one in force first."""
        today = timezone.localdate()
        return self.filter(locale=locale, effective_from__lte=today).order_by("-number")

    def in_force(self, locale: str) -> "Version | None":
        """The version in force: of those that have taken effect, the one with the highest number."""
        return self.effective(locale).first()

    def update(self, **_: Any) -> NoReturn:
        raise Published("a published policy never changes")

    def delete(self) -> NoReturn:
        raise Published("a published policy never changes")


class Version(models.Model):
    """One text in one language. Both languages of a version carry the same number. Final once it is saved."""

    number = models.PositiveIntegerField(_("number"))
    locale = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    title = models.CharField(_("title"), max_length=200)
    body = models.TextField(_("text"))  # Markdown, kept to the last character
    sha256 = models.CharField(_("SHA-256 of the text"), max_length=64, unique=True, editable=False)
    summary = models.TextField(_("what changed"), blank=True)
    is_material = models.BooleanField(_("material change"), default=False)
    published_at = models.DateTimeField(_("published at"), default=timezone.now, editable=False)
    effective_from = models.DateField(_("effective from"))

    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("version of the policy")
        verbose_name_plural = _("versions of the policy")
        ordering = ["-number", "locale"]
        constraints = [
            models.UniqueConstraint(fields=["number", "locale"], name="policy_version_number_once_a_locale"),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="policy_version_counts_from_1"),
            models.CheckConstraint(condition=~models.Q(body=""), name="policy_version_has_a_text"),
        ]

    def __str__(self) -> str:
        return f"{self.number} ({self.locale})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Published("a published policy never changes")
        self.sha256 = hash_of(self.body)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise Published("a published policy never changes")

    @property
    def direction(self) -> str:
        return "rtl" if self.locale == "fa" else "ltr"

    @property
    def is_coming(self) -> bool:
        return self.effective_from > timezone.localdate()

    def get_absolute_url(self) -> str:
        """This very text, whatever language its reader's pages are in."""
        return f"{reverse('policy_version', args=[self.number])}?locale={self.locale}"

    def as_json(self) -> dict[str, Any]:
        effective_from: date = self.effective_from
        return {
            "number": self.number,
            "locale": self.locale,
            "title": self.title,
            "sha256": self.sha256,
            "effective_from": effective_from.isoformat(),
            "published_at": self.published_at.isoformat(),
            "is_material": self.is_material,
            "summary": self.summary,
            "url": settings.SITE_URL + self.get_absolute_url(),
            "text": self.body,
        }


class AcceptanceQuerySet(models.QuerySet["Acceptance"]):
    def visible_to(self, customer: Any) -> Self:
        return self.filter(customer=customer)


class Acceptance(models.Model):
    """A customer accepted exactly this text."""

    class How(models.TextChoices):
        SIGN_UP = "sign_up", _("at sign-up")

    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="acceptances", verbose_name=_("customer")
    )
    version = models.ForeignKey(Version, models.PROTECT, related_name="acceptances", verbose_name=_("version"))
    # Copied from the form that the customer sent, so that the row proves by itself what was accepted.
    sha256 = models.CharField(_("SHA-256 of the text"), max_length=64)
    at = models.DateTimeField(_("at"), default=timezone.now)
    how = models.CharField(_("how"), max_length=10, choices=How.choices)

    objects = AcceptanceQuerySet.as_manager()

    class Meta:
        verbose_name = _("acceptance of the policy")
        verbose_name_plural = _("acceptances of the policy")
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["customer", "sha256"], name="policy_acceptance_once_a_text"),
            models.CheckConstraint(condition=models.Q(how="sign_up"), name="policy_acceptance_how_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.customer} · {self.version}"
