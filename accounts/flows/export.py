"""A customer takes along everything that we hold about her."""

import secrets
from typing import Any

from django.db import transaction

from accounts.models import Customer
from notifications.flows import tell
from portal.rooms import modules


def hand_over(*, customer: Customer) -> dict[str, Any]:
    """What each room's privacy.py exports, by room; the customer is told that it was taken."""
    with transaction.atomic():
        tell(customer, "exported", about="account", key=f"exported:{secrets.token_hex(8)}")
        exports = {room.__name__.partition(".")[0]: getattr(room, "export", None) for room in modules("privacy")}
        return {room: export(customer) for room, export in exports.items() if export}
