"""What you sign in with, over which connection, and where you are signed in."""

import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.sealed.fields import SealedCharField
from portal.sealed.index import SealedModel, SealedQuerySet

UNKNOWN = "unknown"


def new_public_id() -> str:
    return secrets.token_urlsafe(12)


class Kind(models.TextChoices):
    PHONE = "phone", _("Phone")
    TABLET = "tablet", _("Tablet")
    COMPUTER = "computer", _("Computer")
    TV = "tv", _("Television")
    BOT = "bot", _("Program")
    UNKNOWN = "unknown", _("Unknown device")


class Memory(models.TextChoices):
    UNKNOWN = "unknown", _("unknown")
    UP_TO_2 = "2", _("up to 2 GB")
    UP_TO_4 = "4", _("up to 4 GB")
    UP_TO_8 = "8", _("up to 8 GB")
    MORE = "16", _("16 GB or more")


class Cores(models.TextChoices):
    UNKNOWN = "unknown", _("unknown")
    UP_TO_2 = "2", _("up to 2")
    UP_TO_4 = "4", _("up to 4")
    UP_TO_8 = "8", _("up to 8")
    MORE = "9", _("9 or more")


class Screen(models.TextChoices):
    UNKNOWN = "unknown", _("unknown")
    SMALL = "small", _("small")
    MEDIUM = "medium", _("medium")
    LARGE = "large", _("large")


class Link(models.TextChoices):
    UNKNOWN = "unknown", _("unknown")
    WIFI = "wifi", _("Wi-Fi")
    CELLULAR = "cellular", _("Mobile network")
    ETHERNET = "ethernet", _("Cable (Ethernet)")
    OTHER = "other", _("Other")
    NONE = "none", _("No connection")


class Speed(models.TextChoices):
    UNKNOWN = "unknown", _("unknown")
    SLOW_2G = "slow-2g", _("like slow 2G")
    SLOW = "2g", _("like 2G")
    MIDDLE = "3g", _("like 3G")
    FAST = "4g", _("like 4G or better")


class Source(models.TextChoices):
    NONE = "none", _("nothing told")
    SCRIPT = "script", _("told by the browser on a page")


class DeviceQuerySet(models.QuerySet["Device"]):
    def unused(self) -> Self:
        """Devices on which nobody's sign-in is kept any more."""
        return self.filter(sign_ins__isnull=True)


class Device(models.Model):
    """A browser on a device. Its id is the value of the cookie `did`; nothing here is a fingerprint."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    first_seen_at = models.DateTimeField(_("first seen"), default=timezone.now, editable=False)
    kind = models.CharField(_("device type"), max_length=10, choices=Kind.choices, default=Kind.UNKNOWN)
    browser = models.CharField(_("browser"), max_length=40, blank=True)
    browser_major = models.CharField(_("browser version"), max_length=8, blank=True)
    os = models.CharField(_("operating system"), max_length=40, blank=True)
    os_major = models.CharField(_("operating system version"), max_length=8, blank=True)
    memory = models.CharField(_("memory"), max_length=8, choices=Memory.choices, default=Memory.UNKNOWN)
    cores = models.CharField(_("processor cores"), max_length=8, choices=Cores.choices, default=Cores.UNKNOWN)
    screen = models.CharField(_("screen"), max_length=8, choices=Screen.choices, default=Screen.UNKNOWN)
    link = models.CharField(_("connection"), max_length=8, choices=Link.choices, default=Link.UNKNOWN)
    speed = models.CharField(_("speed class"), max_length=8, choices=Speed.choices, default=Speed.UNKNOWN)
    hints_source = models.CharField(_("source of hints"), max_length=8, choices=Source.choices, default=Source.NONE)
    hints_at = models.DateTimeField(_("hints at"), null=True, editable=False)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(**{f"{name}__in": choices.values}), name=f"devices_device_{name}_is_known"
            )
            for name, choices in (
                ("kind", Kind),
                ("memory", Memory),
                ("cores", Cores),
                ("screen", Screen),
                ("link", Link),
                ("speed", Speed),
                ("hints_source", Source),
            )
        ]

    def __str__(self) -> str:
        """In the language in force: "Chrome on Android", or as much of it as is known."""
        kind = str(self.get_kind_display())
        browser, system = self.browser or gettext("unknown browser"), self.os
        if system:
            return gettext("%(kind)s: %(browser)s on %(system)s") % {
                "kind": kind,
                "browser": browser,
                "system": system,
            }
        return gettext("%(kind)s: %(browser)s") % {"kind": kind, "browser": browser}

    @property
    def browser_words(self) -> str:
        return f"{self.browser} {self.browser_major}".strip()

    @property
    def os_words(self) -> str:
        return f"{self.os} {self.os_major}".strip()

    @property
    def is_silent(self) -> bool:
        """Whether some of the hints are unknown, so that the page says why."""
        return UNKNOWN in (self.memory, self.cores, self.screen, self.link, self.speed)

    def notice(self, facts: Mapping[str, str]) -> None:
        """Keep what the browser's header says now; browsers are upgraded."""
        changed = [name for name, value in facts.items() if getattr(self, name) != value]
        for name in changed:
            setattr(self, name, facts[name])
        if changed:
            self.save(update_fields=changed)


class SignInQuerySet(SealedQuerySet):
    def visible_to(self, customer: Any) -> Self:
        return self.filter(customer=customer)

    def current(self) -> Self:
        """Not ended, and its session still lives: one may also have run out or been refused."""
        alive = Session.objects.filter(session_key=models.OuterRef("session_key"), expire_date__gt=timezone.now())
        return self.filter(models.Exists(alive), ended_at__isnull=True)

    def past(self) -> Self:
        return self.exclude(pk__in=self.current().values("pk"))

    def end(self) -> int:
        """Sign all of these out at once; answers how many were signed in."""
        with transaction.atomic():
            open_now = self.filter(ended_at__isnull=True).select_for_update(of=("self",)).order_by("pk")
            keys = dict(open_now.values_list("pk", "session_key"))
            Session.objects.filter(session_key__in=keys.values()).delete()
            return SignIn.objects.filter(pk__in=keys).update(ended_at=timezone.now())

    def saw(self, sightings: Mapping[int, datetime]) -> None:
        """Move `last_seen_at` of many in one statement, never backwards."""
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE devices_signin AS s SET last_seen_at = n.at "
                "FROM unnest(%s::bigint[], %s::timestamptz[]) AS n (id, at) "
                "WHERE s.id = n.id AND s.last_seen_at < n.at AND s.ended_at IS NULL",
                [list(sightings), list(sightings.values())],
            )


class SignIn(SealedModel):
    """One sign-in of a customer on a device, from its start to its end."""

    sealed_to = "public_id"
    public_id = models.CharField(max_length=24, unique=True, default=new_public_id, editable=False)
    device = models.ForeignKey(Device, models.CASCADE, related_name="sign_ins", verbose_name=_("device"))
    customer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="sign_ins", verbose_name=_("customer")
    )
    session_key = models.CharField(max_length=40, editable=False)
    signed_in_at = models.DateTimeField(_("signed in at"), default=timezone.now, editable=False)
    last_seen_at = models.DateTimeField(_("last seen at"), default=timezone.now, editable=False)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True, editable=False)
    # The address is cut to its network (/24 or /48) before it comes here.
    network = SealedCharField(_("network"), max_length=50, null=True, blank=True)

    objects: ClassVar[Any] = SignInQuerySet.as_manager()

    class Meta:
        verbose_name = _("sign-in")
        verbose_name_plural = _("sign-ins")
        ordering = ["-last_seen_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["session_key"], condition=models.Q(ended_at__isnull=True), name="devices_signin_one_a_session"
            ),
        ]
        indexes = [models.Index(fields=["customer", "-last_seen_at"], name="devices_signin_of_customer")]

    def __str__(self) -> str:
        return self.public_id

    def get_absolute_url(self) -> str:
        return reverse("devices")

    def end(self) -> bool:
        """Sign out at once: without its session row the browser is a stranger at its next click."""
        return type(self).objects.filter(pk=self.pk).end() == 1
