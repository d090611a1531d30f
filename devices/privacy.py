"""What this room holds about a person, how it is handed over and how it goes."""

from typing import Any

from accounts.models import Customer
from devices.models import Device, SignIn
from portal.privacy import Held

KEPT = "180 days after the sign-in was last seen, or until the account is closed"
HOLDS = {
    # Cut to /24 or /48, so that it points at no home.
    "SignIn.network": Held("shows you from which network somebody signed in", KEPT),
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
