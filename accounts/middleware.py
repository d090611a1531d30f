"""An answer to those who try too often, and the second factor of our staff."""

from allauth.core.exceptions import RateLimited
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.mfa import has_second_factor, used_second_factor


class TooOften(MiddlewareMixin):
    """allauth lets this exception through where a code is asked for again at sign-in; that would be a 500."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return render(request, "429.html", status=429) if isinstance(exception, RateLimited) else None


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
