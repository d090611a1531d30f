"""What Prometheus reads at /metrics: the figures of every room, asked of the database at that moment."""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from portal.rooms import modules


class Rooms:
    """Each room's `metrics.py` has `collect()`; no figure may name a customer."""

    def collect(self) -> Iterable[Metric]:
        for module in modules("metrics"):
            if hasattr(module, "collect"):
                yield from module.collect()


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """In Prometheus' text format; for who brings METRICS_TOKEN as a bearer (RFC 6750), or is an operator signed in."""
    given = request.headers.get("Authorization")
    if given is None and not request.user.is_authenticated:
        return redirect_to_login(request.path)
    if not _may_read(request, given):
        raise PermissionDenied
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Rooms())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest, given: str | None) -> bool:
    if given is not None:
        return bool(settings.METRICS_TOKEN) and constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}")
    return bool(request.user.is_active and request.user.is_staff and request.user.is_superuser)
