"""What can be out of order or worked on, and what is told of it to everybody: words that only ever grow."""

import secrets
from collections.abc import Iterable
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.tongue import in_our_words

LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that is read for another over the phone


def new_ref() -> str:
    """Eight random characters: who knows one address cannot guess the next."""
    return "".join(secrets.choice(LETTERS) for _each in range(8))


class Component(models.Model):
    """A part of our house on which services run."""

    slug = models.SlugField(_("address"), max_length=40, unique=True)
    name_fa = models.CharField(_("name in Persian"), max_length=60)
    name_en = models.CharField(_("name in English"), max_length=60)
    is_public = models.BooleanField(_("shown to everybody"), default=True)
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("component")
        verbose_name_plural = _("components")
        ordering = ["order", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return in_our_words(self, "name")


def named(components: Iterable[Component]) -> str:
    """«میزبانی وب، ایمیل» or "Web hosting, Mail"."""
    return gettext(", ").join(component.name for component in components)


class ForbiddenStep(ValueError):
    """`NEXT` does not allow this step."""


class TroubleQuerySet(models.QuerySet):
    def public(self) -> Self:
        """What everybody may read of: one of its components is shown to everybody."""
        components: Any = self.model._meta.get_field("components")
        ties = components.remote_field.through._default_manager.filter(component__is_public=True)
        return self.filter(pk__in=ties.values(self.model._meta.model_name))

    def with_words(self) -> Self:
        return self.prefetch_related("components", "updates")


class Trouble(models.Model):
    """What an incident and a maintenance share: components, a public reference, and a history that only grows."""

    ref = models.CharField(_("reference"), max_length=8, unique=True, default=new_ref, editable=False)
    components = models.ManyToManyField(Component, related_name="%(class)ss", verbose_name=_("components"))
    changed_at = models.DateTimeField(_("changed at"), default=timezone.now, editable=False)

    # Each of the two has its own.
    Status: ClassVar[Any]
    NEXT: ClassVar[dict[Any, set[Any]]]
    TONE: ClassVar[dict[Any, str]]
    OVER: ClassVar[tuple[str, ...]]
    status: Any
    updates: Any

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.ref

    def get_absolute_url(self) -> str:
        return reverse("status_item", args=[self.ref])

    @property
    def url(self) -> str:
        return f"{settings.SITE_URL}{self.get_absolute_url()}"

    @property
    def source(self) -> str:
        """What its broadcasts name as their reason."""
        return f"{self._meta.model_name}:{self.ref}"

    @property
    def tone(self) -> str:
        return self.TONE[self.Status(self.status)]

    @property
    def is_over(self) -> bool:
        return self.status in self.OVER

    @property
    def shown_components(self) -> list[Component]:
        """Those that everybody may know of; all where there is no other: then only who has the address reads it."""
        every = list(self.components.all())
        return [component for component in every if component.is_public] or every

    @property
    def component_ids(self) -> list[int]:
        return [component.pk for component in self.components.all()]

    def public_updates(self) -> list[Any]:
        return [update for update in self.updates.all() if update.is_public]

    def add_update(self, by: Any, text_fa: str = "", text_en: str = "", *, is_public: bool = True) -> Any:
        """A word on how it stands now."""
        now = {"now": self.status, "by": by, "is_public": is_public}
        return self.updates.create(text_fa=text_fa, text_en=text_en, **now)

    def hold(self) -> None:
        """Take the row's lock, and read what is true now."""
        self.refresh_from_db(from_queryset=type(self)._default_manager.select_for_update())

    def _move_to(self, status: str, *, by: Any, text_fa: str = "", text_en: str = "", **changes: Any) -> bool:
        """Under a row lock. False when it is there already, ForbiddenStep when `NEXT` does not allow it."""
        self.hold()
        if self.status == status:
            return False
        if status not in self.NEXT[self.Status(self.status)]:
            raise ForbiddenStep(f"{self.source}: {self.status} → {status} is not allowed")
        self.change(status=status, **changes)
        self.add_update(by, text_fa, text_en)
        return True

    def change(self, **changes: Any) -> None:
        for field, value in {**changes, "changed_at": timezone.now()}.items():
            setattr(self, field, value)
        self.save(update_fields=[*changes, "changed_at"])


class Update(models.Model):
    """One word to everybody: by whom, when, and how it stood. Never changed or deleted (a trigger sees to it)."""

    at = models.DateTimeField(_("at"), default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.RESTRICT, related_name="+", verbose_name=_("by"))
    text_fa = models.TextField(_("text in Persian"), blank=True, max_length=2000)
    text_en = models.TextField(_("text in English"), blank=True, max_length=2000)
    is_public = models.BooleanField(_("shown to everybody"), default=True)

    now: Any  # how it stood; each of the two has its own column
    get_now_display: Any

    class Meta:
        abstract = True
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(text_fa="", text_en="") | (~models.Q(text_fa="") & ~models.Q(text_en="")),
                name="%(app_label)s_%(class)s_in_both_languages",
            )
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.now}"

    @property
    def text(self) -> str:
        return in_our_words(self, "text")

    # What templates/components/timeline.html asks for.

    @property
    def title(self) -> str:
        return str(self.get_now_display())

    @property
    def note(self) -> str:
        return self.text
