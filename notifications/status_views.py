"""What works and what does not, for everybody; for a customer also whether it touches her."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from notifications.models import Component, Incident, Maintenance, Severity
from notifications.owners import services_of
from notifications.uptime import TONES, Picture, Span, first_moment, picture
from portal import jalali

KEPT = 30  # seconds that anybody's copy of these pages may be old


def spoken(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """In the language of `?lang=` where it is given: a feed reader sends no cookie, and a page that everybody shares
    sets none. (`language` is what the foot's button is called.)"""

    @wraps(view)
    def said(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        language = request.GET.get("lang") or request.GET.get("language")
        if language in dict(settings.LANGUAGES):
            translation.activate(language)
            request.tongue = f"?lang={language}"  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)

    return said


def kept(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Shared by all who are not signed in; nobody keeps a page that names somebody's services."""
    if request.user.is_authenticated:
        patch_cache_control(response, private=True, no_store=True)
    else:
        patch_cache_control(response, public=True, max_age=KEPT)
    return response


@require_safe
@spoken
def status(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    incidents = list(Incident.objects.open().public().with_words())
    coming = list(Maintenance.objects.coming().public().with_words().order_by("starts_at"))
    first, end, month = _month(request.GET.get("month", ""))
    context = {
        "components": _components(incidents, coming, now),
        "incidents": [(row, _yours(request, row)) for row in incidents],
        "coming": [(row, _yours(request, row)) for row in coming],
        "worst": max((row.severity for row in incidents), key=Severity.values.index, default=""),
        "month": month,
        "history": _history(_midnight(first), _midnight(end)),
        "earlier": first - dt.timedelta(days=1),
        "later": end if end <= timezone.localdate() else None,
        "tongue": getattr(request, "tongue", ""),
    }
    return kept(request, render(request, "notifications/status.html", context))


@require_safe
@spoken
def status_item(request: HttpRequest, ref: str) -> HttpResponse:
    """One incident or maintenance for ever, for everybody who has its address."""
    for rows in (Incident.objects.all(), Maintenance.objects.announced()):
        if item := rows.with_words().filter(ref=ref).first():
            break
    else:
        raise Http404
    yours = [] if item.is_over else _yours(request, item)
    context = {"item": item, "yours": yours, "tongue": getattr(request, "tongue", "")}
    context["is_incident"] = isinstance(item, Incident)
    return kept(request, render(request, "notifications/status_item.html", context))


def _yours(request: HttpRequest, item: Incident | Maintenance) -> list[Any]:
    """Which services of the reader's run on it; none for who is not signed in, or whose role is for other things."""
    if not request.user.is_authenticated or not request.acting.may("services"):  # type: ignore[attr-defined]
        return []
    return services_of(request.acting.customer, item.component_ids)  # type: ignore[attr-defined]


def _components(
    incidents: list[Incident], coming: list[Maintenance], now: dt.datetime
) -> list[tuple[Component, tuple[str, str], Picture]]:
    """Each with its state now and its last ninety days."""
    ties = Incident.components.through._default_manager.filter(
        component__is_public=True, incident__in=Incident.objects.between(first_moment(now), now)
    )
    spans = defaultdict(list)
    fields = ("component", "incident__severity", "incident__started_at", "incident__resolved_at")
    for component, *span in ties.values_list(*fields):
        spans[component].append(Span(*span))
    return [
        (component, _state(component, incidents, coming), picture(spans[component.pk], now))
        for component in Component.objects.filter(is_public=True)
    ]


def _state(component: Component, incidents: list[Incident], coming: list[Maintenance]) -> tuple[str, str]:
    """Tone and word of the worst that touches it now."""
    grave = [Severity(row.severity) for row in incidents if component.pk in row.component_ids]
    if grave:
        worst = max(grave, key=list(Severity).index)
        return TONES[worst], str(worst.label)
    under_way = (row for row in coming if row.status == Maintenance.Status.STARTED)
    if any(component.pk in row.component_ids for row in under_way):
        return "info", _("Under maintenance")
    return "ok", _("Works")


def _history(first: dt.datetime, end: dt.datetime) -> list[Any]:
    """What began in this time and is over, the newest first."""
    incidents = Incident.objects.public().filter(
        status=Incident.Status.RESOLVED, started_at__gte=first, started_at__lt=end
    )
    maintenances = (
        Maintenance.objects.announced()
        .public()
        .filter(status__in=Maintenance.OVER, starts_at__gte=first, starts_at__lt=end)
    )
    rows = [*incidents.prefetch_related("components"), *maintenances.prefetch_related("components")]
    return sorted(rows, key=lambda row: row.began, reverse=True)


def _month(asked: str) -> tuple[dt.date, dt.date, str]:
    """The month, in the reader's calendar, of the day asked for; else this one."""
    today = timezone.localdate()
    try:
        day = min(dt.date.fromisoformat(asked), today) if asked else today
        return jalali.month(max(day, dt.date(2000, 1, 1)), translation.get_language() or "fa")
    except ValueError:
        raise Http404 from None


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))
