"""The stories of this room: signing in on a device, telling about a new one, ending sign-ins."""

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import Customer
from devices import hints
from devices.models import Device, Kind, SignIn, Source
from notifications.flows import tell

KEPT = timedelta(days=180)  # after a sign-in was last seen
HINTS_EVERY = timedelta(seconds=10)


def network_of(address: str | None) -> str | None:
    """An address without the part that points at one household: /24 of IPv4, /48 of IPv6."""
    try:
        ip = ip_address(address or "")
    except ValueError:
        return None
    return str(ip_network((ip, 24 if ip.version == 4 else 48), strict=False))


def sign_in(
    *, customer: Customer, device_id: UUID | None, facts: Mapping[str, str], session_key: str, address: str | None
) -> SignIn:
    """Write down a sign-in. The customer is told of every device that is new to them, but for their very first."""
    with transaction.atomic():
        device, _made = Device.objects.get_or_create(id=device_id or uuid4(), defaults=dict(facts))
        device.notice(facts)
        earlier = SignIn.objects.visible_to(customer)
        is_new = earlier.exists() and not earlier.filter(device=device).exists()
        entry, made = SignIn.objects.get_or_create(
            session_key=session_key,
            ended_at=None,
            defaults={"customer": customer, "device": device, "network": network_of(address)},
        )
        if is_new and made:
            with translation.override(customer.language):
                words = {"device": str(device), "at": entry.signed_in_at.isoformat()}
            url = settings.SITE_URL + reverse("devices")
            tell(customer, "new_device", about=f"sign_in:{entry.public_id}", context={**words, "url": url})
    return entry


def sign_out(*, sign_in_id: int) -> None:
    """The customer pressed "sign out"."""
    SignIn.objects.filter(pk=sign_in_id, ended_at__isnull=True).update(ended_at=timezone.now())


def follow_session(*, sign_in_id: int, session_key: str) -> None:
    """The session goes on under another key, as after a change of password."""
    SignIn.objects.filter(pk=sign_in_id, ended_at__isnull=True).update(session_key=session_key)


def end_others(*, customer: Customer, keep: int | None) -> int:
    """Sign out everywhere else; answers how many sign-ins were ended."""
    others = SignIn.objects.visible_to(customer).exclude(pk=keep or 0).current()
    return int(others.end())


def take_hints(*, customer: Customer, sign_in_id: int, told: Mapping[str, Any]) -> bool:
    """Keep what the browser tells about the device of this sign-in."""
    now = timezone.now()
    found = Device.objects.filter(
        Q(hints_at__isnull=True) | Q(hints_at__lt=now - HINTS_EVERY),
        pk__in=SignIn.objects.visible_to(customer).filter(pk=sign_in_id, ended_at__isnull=True).values("device"),
    )
    values = {**hints.read(told), "hints_source": Source.SCRIPT, "hints_at": now}
    # An iPad says that it is a Mac; only its touch screen gives it away.
    if told.get("touch") is True:
        found.filter(os="macOS", kind=Kind.COMPUTER).update(kind=Kind.TABLET, os="iPadOS")
    return found.update(**values) == 1


def forget_old() -> int:
    """Delete sign-ins not seen for half a year, and devices of which none is left."""
    old, _each = SignIn.objects.filter(last_seen_at__lt=timezone.now() - KEPT).delete()
    Device.objects.unused().filter(first_seen_at__lt=timezone.now() - timedelta(hours=1)).delete()
    return old
