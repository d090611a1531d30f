"""What recognising devices costs an ordinary page of a signed-in customer: CPU with and without it, and queries."""

import os
import statistics
import time
from typing import Any

PAIRS, REQUESTS = 41, 50  # many short batches: a busy neighbour spoils a few pairs and not the median
LIMIT = 1.10
OURS = "devices.middleware.DeviceMiddleware"


def run() -> dict[str, Any]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import transaction
    from django.test import override_settings
    from django.urls import set_urlconf

    call_command("migrate", verbosity=0)
    # One host for the requests of RequestFactory, and no redirect to https; nothing of the customer stays.
    with override_settings(ALLOWED_HOSTS=["testserver"], SECURE_SSL_REDIRECT=False), transaction.atomic():
        row = _measure()
        transaction.set_rollback(True)
    set_urlconf(None)  # the handler leaves its one address set for whatever this process does next
    return row


def _measure() -> dict[str, Any]:
    from django.conf import settings
    from django.core.handlers.base import BaseHandler
    from django.db import connection
    from django.http import HttpRequest, HttpResponse
    from django.test import Client, RequestFactory, override_settings
    from django.test.utils import CaptureQueriesContext
    from django.urls import path

    from accounts.models import Customer

    def page(request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(request.user.pk))

    class Addresses:
        """The one address of this row."""

        urlpatterns = [path("", page)]

    def handler(middleware: list[str]) -> BaseHandler:
        made = BaseHandler()
        with override_settings(MIDDLEWARE=middleware):
            made.load_middleware()
        return made

    def ask(through: BaseHandler) -> None:
        request = make(
            "/", headers={"cookie": cookies, "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"}
        )
        request.urlconf = Addresses
        if through.get_response(request).content != expected:
            raise RuntimeError("the customer is not signed in")

    def queries(through: BaseHandler) -> int:
        with CaptureQueriesContext(connection) as seen:
            ask(through)
        return len(seen)

    def cpu(through: BaseHandler) -> float:
        """Microseconds of this process a request."""
        start = time.process_time()
        for _ in range(REQUESTS):
            ask(through)
        return (time.process_time() - start) / REQUESTS * 1e6

    customer = Customer.objects.create_user(email=None)
    client, expected, make = Client(), str(customer.pk).encode(), RequestFactory().get
    client.force_login(customer)
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    whole = list(settings.MIDDLEWARE)
    with_ours, without = handler(whole), handler([name for name in whole if name != OURS])
    added = queries(with_ours) - queries(without)
    for warm in (with_ours, without):
        cpu(warm)
    pairs = []
    for number in range(PAIRS):  # now one first, now the other
        if number % 2:
            theirs, ours = cpu(without), cpu(with_ours)
        else:
            ours, theirs = cpu(with_ours), cpu(without)
        pairs.append((ours, theirs))
    value, reference = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    return {
        "name": f"middleware tax ({added} queries added)",
        "value": value,
        "reference": reference,
        "ratio": ratio,
        "queries_added": added,
        "unit": f"µs CPU a request, median of {PAIRS} interleaved pairs",
        "against": "the same page without DeviceMiddleware",
        "limit": f"<={LIMIT}",
        "holds": ratio <= LIMIT and added == 0,
    }
