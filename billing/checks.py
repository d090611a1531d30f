"""What `manage.py check` finds wrong with the gateways' settings before a customer does."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from billing import gateways


@register()
def accounts_are_usable(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Each configured gateway's credentials have the form that its document wants; none of them is shown."""
    found: list[CheckMessage] = []
    for slug in settings.GATEWAYS:
        try:
            gateways.gateway(slug)
        except ValueError as error:
            found.append(Error(str(error), id="billing.E001"))
    return found
