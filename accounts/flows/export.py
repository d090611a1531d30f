"""A customer takes along everything that we hold about her."""

import secrets
from importlib import import_module
from typing import Any

from django.apps import apps
from django.db import transaction
from django.utils.module_loading import module_has_submodule

from accounts.models import Customer
from notifications.flows import tell


def hand_over(*, customer: Customer) -> dict[str, Any]:
    """What each room's privacy.py exports, by room; the customer is told that it was taken."""
    rooms = [app for app in apps.get_app_configs() if app.module and module_has_submodule(app.module, "privacy")]
    with transaction.atomic():
        tell(customer, "exported", about="account", key=f"exported:{secrets.token_hex(8)}")
        exports = {room.label: getattr(import_module(f"{room.name}.privacy"), "export", None) for room in rooms}
        return {label: export(customer) for label, export in exports.items() if export}
