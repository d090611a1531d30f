"""Pages for machines, and pages for what went wrong."""

import sys

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template import loader
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from psycopg.errors import ReadOnlySqlTransaction

from portal.celery import broker_answers
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


@never_cache
def staff_login(request: HttpRequest) -> HttpResponse:
    """The staff screens have the one sign-in of all; to a customer who is signed in they are closed."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.GET.get("next", reverse("admin:index")), reverse("account_login"))
    if not request.user.is_staff:
        raise PermissionDenied  # the sign-in would send them here again, for ever
    return redirect("admin:index")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was open too long, or came from another site."""
    return render(request, "403_csrf.html", status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours; when the database is away or only read, say that it comes back. No page here needs it."""
    error = sys.exc_info()[1]
    away = isinstance(error, OperationalError | InterfaceError) or isinstance(
        getattr(error, "__cause__", None), ReadOnlySqlTransaction
    )
    name, status = ("503.html", 503) if away else ("500.html", 500)
    response = HttpResponse(loader.get_template(name).render(), status=status)
    if away:
        response.headers["Retry-After"] = "30"
    return response
