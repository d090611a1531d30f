"""What this room holds about a person, how it is handed over and how it goes."""

from typing import Any

from accounts.models import Customer
from devices.models import Device, SignIn
from portal.privacy import Held

HALF_A_YEAR = "180 days after the sign-in was last seen, or until the account is closed"
SHOWN = "shows you which device it is"
SERVICE = "to provide better and more efficient services"
HOLDS = {
    "SignIn.network": Held(
        "tells you from which network somebody signed in; cut, so that it points at no home", HALF_A_YEAR
    ),
    "SignIn.signed_in_at": Held("shows you when you signed in", HALF_A_YEAR),
    "SignIn.last_seen_at": Held("shows you when that sign-in was last used", HALF_A_YEAR),
    "SignIn.ended_at": Held("shows you when that sign-in ended", HALF_A_YEAR),
    "SignIn.session_key": Held("lets you sign that device out", HALF_A_YEAR),
    "Device.id": Held("stands in a cookie, so that we warn you of new devices and not of yours", HALF_A_YEAR),
    "Device.first_seen_at": Held(SHOWN, HALF_A_YEAR),
    "Device.kind": Held(SHOWN, HALF_A_YEAR),
    "Device.browser": Held(SHOWN, HALF_A_YEAR),
    "Device.browser_major": Held(SHOWN, HALF_A_YEAR),
    "Device.os": Held(SHOWN, HALF_A_YEAR),
    "Device.os_major": Held(SHOWN, HALF_A_YEAR),
    "Device.memory": Held(SERVICE, HALF_A_YEAR),
    "Device.cores": Held(SERVICE, HALF_A_YEAR),
    "Device.screen": Held(SERVICE, HALF_A_YEAR),
    "Device.link": Held(SERVICE, HALF_A_YEAR),
    "Device.speed": Held(SERVICE, HALF_A_YEAR),
    "Device.hints_source": Held("tells a fact from a guess", HALF_A_YEAR),
    "Device.hints_at": Held("tells how old these facts are", HALF_A_YEAR),
}
NOT_TOLD = {"id", "device", "customer", "public_id", "session_key"}  # our own marks, which say nothing about a person


def export(customer: Customer) -> dict[str, Any]:
    """Every sign-in and its device, as plain values."""
    rows = SignIn.objects.visible_to(customer).select_related("device")
    return {"sign_ins": [{**_plain(row), "device": _plain(row.device)} for row in rows]}


def _plain(row: SignIn | Device) -> dict[str, str]:
    names = [field.name for field in row._meta.concrete_fields if field.name not in NOT_TOLD]
    return {name: str(value) for name in names if (value := getattr(row, name)) not in (None, "")}


def erase(customer: Customer) -> None:
    """Sign out everywhere and forget; a device that others use too stays theirs."""
    mine = SignIn.objects.visible_to(customer)
    devices = list(mine.values_list("device", flat=True))
    mine.end()
    mine.delete()
    Device.objects.unused().filter(pk__in=devices).delete()
