"""Pages for machines, and the page for a form that came from elsewhere."""

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from portal.celery import app as celery
from portal.sealed.sentinel import WrongKeys, guard


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process is up; asks nobody."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Database, keys and broker, each with yes or no; 503 when the portal cannot serve. Redis away is no reason."""
    found = {"database": False, "keys": False, "broker": False}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        found["database"] = True
        guard()
        found["keys"] = True
    except (DatabaseError, WrongKeys, ImproperlyConfigured):
        return JsonResponse(found, status=503)
    found["broker"] = broker_answers()
    return JsonResponse(found)


def broker_answers() -> bool:
    """Whether Redis takes a connection within a second."""
    try:
        with celery.connection_for_write(connect_timeout=1) as broker:
            broker.ensure_connection(max_retries=1, timeout=1)
    except OperationalError:
        return False
    return True


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was open too long, or came from another site."""
    return render(request, "403_csrf.html", status=403)
