"""Where you are signed in, and how to end it."""

import json

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Customer
from accounts.requests import CustomerRequest
from devices import flows
from devices.middleware import this_sign_in
from devices.models import SignIn

LARGEST = 1024  # bytes of a beacon
PAST_SHOWN = 10


@require_safe
@login_required
@never_cache
def devices(request: CustomerRequest) -> HttpResponse:
    """The sign-ins of now, this one first, and the last ones that ended."""
    mine, here = SignIn.objects.visible_to(request.user).select_related("device"), this_sign_in(request)
    current = sorted(mine.current(), key=lambda entry: entry.pk != here)
    past = mine.past()[:PAST_SHOWN]
    return render(request, "devices/devices.html", {"current": current, "past": past, "here": here})


@require_POST
@login_required
def device_end(request: CustomerRequest, public_id: str) -> HttpResponse:
    entry = get_object_or_404(SignIn.objects.visible_to(request.user), public_id=public_id)
    if entry.pk == this_sign_in(request):
        logout(request)
        return redirect("home")
    if entry.end():
        messages.success(request, _("That device is signed out."))
    else:
        messages.info(request, _("That device was signed out already."))
    return redirect("devices")


@require_POST
@login_required
def devices_end_others(request: CustomerRequest) -> HttpResponse:
    ended = flows.end_others(customer=request.user, keep=this_sign_in(request))
    if ended:
        words = ngettext("%(n)s other device is signed out.", "%(n)s other devices are signed out.", ended)
        messages.success(request, words % {"n": ended})
    else:
        messages.info(request, _("You are signed in nowhere else."))
    return redirect("devices")


def _is_our_page(request: HttpRequest) -> bool:
    """A beacon carries no token. Browsers say where it comes from, and no page can forge these two headers."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is None and origin is None:
        return False
    return site in (None, "same-origin") and origin in (None, f"{request.scheme}://{request.get_host()}")


@csrf_exempt
@require_POST
def device_hints(request: HttpRequest) -> HttpResponse:
    """The beacon of static/js/hints.js. Answers 204 whether or not there was something to keep."""
    if not _is_our_page(request):
        return HttpResponse(status=403)
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
        return HttpResponse(status=413)
    if request.content_type != "application/json":
        return HttpResponse(status=415)
    try:
        told = json.loads(request.body)
    except (ValueError, RecursionError):
        return HttpResponse(status=400)
    wanted = isinstance(told, dict) and request.headers.get("Sec-GPC") != "1"
    if wanted and isinstance(request.user, Customer) and (sign_in_id := this_sign_in(request)):
        flows.take_hints(customer=request.user, sign_in_id=sign_in_id, told=told)
    return HttpResponse(status=204)
