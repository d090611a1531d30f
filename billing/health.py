"""What `manage.py doctor` asks of this room: are the banks there, does money wait for a person."""

from collections.abc import Callable
from urllib.parse import urlsplit

import requests
from django.conf import settings

from billing.models import Payment
from portal.health import Sick


def banks() -> str:
    """Whether each bank's server talks to us at all; whether it would take a payment, only a payment shows."""
    if not settings.GATEWAYS:
        raise Sick("GATEWAYS names no bank: nobody can pay")
    for slug in settings.GATEWAYS:
        parts = urlsplit(settings.GATEWAY[slug]["api_url"])
        try:
            requests.head(f"{parts.scheme}://{parts.netloc}/", timeout=(3.05, 5), allow_redirects=False)
        except requests.RequestException as error:
            raise Sick(f"{slug} does not answer ({type(error).__name__})") from None
    return f"{', '.join(settings.GATEWAYS)} answer"


def money() -> str:
    if stuck := Payment.objects.stuck().count():
        raise Sick(f"{stuck} payments wait for a person; see them in the staff screens")
    return "no payment waits for a person"


CHECKS: dict[str, Callable[[], str]] = {"banks": banks, "money": money}
