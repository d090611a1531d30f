"""What one customer was told, and how each message fared: for whoever has that customer on the phone."""

from typing import Any, NamedTuple

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import Prefetch
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import codes, kinds, progress
from notifications.models import CallTask, Delivery, Event, Resend
from portal.admin import ReadOnlyAdmin

AT_ONCE = 25
NAME = "admin:notifications_event_of"


class Way(NamedTuple):
    """One delivery, as the line shows it."""

    row: Delivery
    tone: str
    answer: str  # the last one, in words


class Entry(NamedTuple):
    """One point of the line: a message, or a call."""

    at: Any
    event: Event | None = None
    kind: Any = ""
    ways: tuple[Way, ...] = ()
    call: CallTask | None = None


class WithTold(ReadOnlyAdmin):
    """Events, and all of one customer's on a line of time. No words of a message are opened for it, and no address."""

    class Media:
        css = {"all": ["css/staff.css"]}

    def get_urls(self) -> list[URLPattern]:
        told = self.admin_site.admin_view(self.told)
        return [path("of/<slug:ref>/", told, name="notifications_event_of"), *super().get_urls()]

    @admin.display(description=gettext_lazy("all of this customer's"))
    def told_link(self, event: Event) -> str:
        url = reverse(NAME, args=[event.customer.ref])
        return format_html('<a href="{}">{}</a>', url, _("What we told this customer"))

    def told(self, request: HttpRequest, ref: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        customer = get_object_or_404(get_user_model().objects.only("pk", "ref"), ref=ref)
        events = Event.objects.filter(customer=customer).defer("context").select_related("broadcast")
        page = Paginator(events.prefetch_related(_deliveries()), AT_ONCE).get_page(request.GET.get("page"))
        line = [_entry(event) for event in page]
        if request.user.has_perm("notifications.view_calltask"):
            line += [Entry(at=call.shown_at, call=call) for call in _calls(customer, events, page)]
        context = {
            **self.admin_site.each_context(request),
            "title": _("What we told %(ref)s") % {"ref": ref},
            "opts": self.opts,
            "media": self.media,
            "customer": customer,
            "page": page,
            "line": sorted(line, key=lambda entry: entry.at, reverse=True),
        }
        return TemplateResponse(request, "admin/notifications/told.html", context)


def _deliveries() -> Prefetch:
    """Without addresses; of readers their references alone."""
    rows = (
        Delivery.objects.defer("recipient")
        .order_by("channel", "pk")
        .prefetch_related(
            Prefetch("reader", get_user_model().objects.only("pk", "ref")),
            Prefetch("resends", Resend.objects.all()),
            Prefetch("resends__by", get_user_model().objects.only("pk", "ref")),
        )
    )
    return Prefetch("deliveries", rows)


def _entry(event: Event) -> Entry:
    ways = tuple(
        Way(row, progress.tone(row), codes.explain(row.last_code, row.carrier)) for row in event.deliveries.all()
    )
    return Entry(event.at, event, kinds.KINDS.get(event.message, event.message), ways)


def _calls(customer: Any, events: Any, page: Page[Event]) -> Any:
    """Those that fall between the page's events and the ones before and after it."""
    at = Coalesce("made_at", "asked_at")
    calls = CallTask.objects.filter(customer=customer).defer("why", "note").annotate(shown_at=at)
    if page.has_previous():
        calls = calls.filter(shown_at__lt=events.values_list("at", flat=True)[page.start_index() - 2])
    if page.has_next():
        calls = calls.filter(shown_at__gte=page[-1].at)
    return calls
