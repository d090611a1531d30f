"""The status page for feed readers (Atom, RFC 4287) and for calendars."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import conditional_page, require_safe

from notifications.calendar_file import calendar
from notifications.models import Incident, Maintenance
from notifications.status_views import kept, spoken

ENTRIES = 50
LOOKS_BACK = dt.timedelta(days=90)


class StatusFeed(Feed):
    """Incidents and maintenance, the last changed first; an entry is told anew by its `updated`."""

    feed_type = Atom1Feed

    def title(self) -> str:
        return _("Status of our services")

    def author_name(self) -> str:
        return _("Yaghout Software Group")

    def link(self) -> str:
        return f"{settings.SITE_URL}{reverse('status')}"

    def feed_url(self) -> str:
        return f"{settings.SITE_URL}{reverse('status_feed')}?lang={get_language()}"

    def items(self) -> list[Any]:
        rows = [
            *Incident.objects.public().with_words().order_by("-changed_at")[:ENTRIES],
            *Maintenance.objects.announced().public().with_words().order_by("-changed_at")[:ENTRIES],
        ]
        return sorted(rows, key=lambda row: row.changed_at, reverse=True)[:ENTRIES]

    def item_title(self, item: Any) -> str:
        return str(item.title)

    def item_link(self, item: Any) -> str:
        return str(item.url)

    def item_guid(self, item: Any) -> str:
        return str(item.url)

    def item_description(self, item: Any) -> str:
        return render_to_string("notifications/status_entry.html", {"item": item})

    def item_pubdate(self, item: Any) -> dt.datetime:
        return getattr(item, "announced_at", None) or item.began  # type: ignore[no-any-return]

    def item_updateddate(self, item: Any) -> dt.datetime:
        changed: dt.datetime = item.changed_at
        return changed


@require_safe
@spoken
@conditional_page
def status_feed(request: HttpRequest) -> HttpResponse:
    return kept(request, StatusFeed()(request))


@require_safe
@spoken
@conditional_page
def status_calendar(request: HttpRequest) -> HttpResponse:
    """What is announced, and what was in the last ninety days."""
    rows = Maintenance.objects.announced().public().filter(ends_at__gt=timezone.now() - LOOKS_BACK)
    body = calendar(_("Maintenance at Yaghout"), rows.prefetch_related("components"), get_language() or "fa")
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = 'inline; filename="maintenance.ics"'
    return kept(request, response)
