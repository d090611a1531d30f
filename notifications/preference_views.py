"""How you wish to be reached, and when we called you."""

from typing import Any

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from notifications import flows, kinds
from notifications.forms import PreferenceForm
from notifications.models import CallTask, Preference
from notifications.views import ON_A_PAGE, reach
from portal.areas import AreaRequest, area


@login_required
@area("messages")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: AreaRequest) -> HttpResponse:
    """Your own, also while you act for a company: each of its people has hers."""
    reader: Any = request.user
    chosen = Preference.objects.filter(reader=reader).first() or Preference(reader=reader)
    is_for_company = request.customer.pk != reader.pk
    form = PreferenceForm(request.POST or None, preference=chosen, with_language=not is_for_company)
    if request.method == "POST" and form.is_valid():
        flows.change_preferences(reader=reader, **form.cleaned_data)
        notices.success(request, _("Saved. It holds from the next message on."))
        return redirect("preferences")
    context = {
        "form": form,
        "is_for_company": is_for_company,
        "purposes": kinds.by_purpose(),
        "owed": kinds.OWED,
        **reach(reader),
    }
    return render(request, "notifications/preferences.html", context)


@login_required
@area("messages")
@never_cache
@require_safe
def calls(request: AreaRequest) -> HttpResponse:
    """Each call of ours: when, why, and what came of it."""
    made = CallTask.objects.visible_to(request.customer, request.acting.reads).order_by("-made_at")
    page = Paginator(made, ON_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "notifications/calls.html", {"page": page, "promise": kinds.CALLS})
