"""Who tries too often waits, no stranger learns who has an account, and our staff show a second factor."""

import time
from collections.abc import Callable
from typing import Any

from allauth.core.exceptions import RateLimited
from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.acting import acting
from accounts.mfa import has_second_factor, used_second_factor


class TooOften(MiddlewareMixin):
    """Whatever is sent to an account page is counted before its password is; a spent limit is answered with a page.

    Each story's own limits are allauth's (ACCOUNT_RATE_LIMITS). All are kept in PostgreSQL and hold without Redis.
    """

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        if request.method != "POST" or not request.path.startswith(("/accounts/", "/profile/", "/companies/")):
            return None
        limits = {"posts": settings.ACCOUNT_POSTS}
        counted = ratelimit.consume(request, app="accounts", action="posts", config=limits)
        return None if counted else render(request, "429.html", status=429)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return render(request, "429.html", status=429) if isinstance(exception, RateLimited) else None

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if response.status_code == 429:
            response.headers.setdefault("Retry-After", "60")  # seconds
        return response


class EvenTime:
    """Pages that write to somebody only if they are a customer answer no sooner when they are not: at full steps."""

    STEP = 0.5  # seconds; a password's hash, the longest of what is hidden, takes 0.3
    PAGES = (
        *("account_signup", "account_request_login_code", "account_reset_password"),
        *("account_email", "account_change_phone"),
    )

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        response = self.get_response(request)
        match = request.resolver_match
        if request.method == "POST" and match and match.view_name in self.PAGES:
            time.sleep(-(time.monotonic() - began) % self.STEP)
        return response


class ActingFor(MiddlewareMixin):
    """`request.acting` and, on pages of an area, `request.customer`; whose role a page is not for is told so."""

    def process_request(self, request: HttpRequest) -> None:
        request.acting = SimpleLazyObject(lambda: acting(request))  # type: ignore[attr-defined]

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        area = getattr(view, "area", None)
        if area is None or not request.user.is_authenticated:
            return None
        request.acting = acting(request)
        request.customer = request.acting.customer
        if request.acting.may(area):
            return None
        return render(request, "accounts/companies/not_your_role.html", status=403)


class SecondFactorForStaff(MiddlewareMixin):
    """The staff screens open only to a session that showed a second factor; who has none sets one up first."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        if not request.path.startswith("/admin/") or not getattr(request.user, "is_staff", False):
            return None  # who is no staff gets no further than the sign-in
        if used_second_factor(request):
            return None
        if not has_second_factor(request.user):  # type: ignore[arg-type]
            messages.warning(request, _("Our staff need a second factor. Please set one up to open the staff screens."))
            return redirect("mfa_index")
        query = urlencode({"next": request.get_full_path() if request.method == "GET" else "/admin/"})
        return redirect(f"{reverse('mfa_reauthenticate')}?{query}")
