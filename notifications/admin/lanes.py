"""The operators' screen: lane by lane what waits, hangs and leaves, and how each provider fares."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from notifications import figures
from notifications.models import Carrier, Lane
from portal.admin import Bar, ReadOnlyAdmin, bars
from portal.templatetags.words import digits

LATE = {Lane.CODES: 5, Lane.MONEY: 60, Lane.TICKETS: 300, Lane.BULK: 1800}  # seconds after which somebody must look
LOOK_AGAIN = 10  # seconds


class Line:
    """What the screen shows of one lane; nothing here asks the database."""

    def __init__(self, lane: Lane, found: figures.Figures) -> None:
        self.slug, self.name, self.found = lane.value, lane.label, found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.found, name)

    @property
    def is_late(self) -> bool:
        return bool(self.found.oldest > LATE[Lane(self.slug)])

    @property
    def sent(self) -> int:
        return sum(self.found.sent)

    @property
    def bars(self) -> list[Bar]:
        return bars(self.found.sent)

    @property
    def in_words(self) -> str:
        """The bars for who cannot see them."""
        counts = "; ".join(digits(count) for count in self.found.sent)
        return _("Every five minutes, the last one last: %(counts)s") % {"counts": counts}


def standing(carrier: Carrier, *, is_down: bool) -> tuple[str, str]:
    """Its tone, and its state in words."""
    if carrier.out_of_credit_at:
        return "bad", _("Out of credit")
    if is_down:
        return "bad", _("Left alone for now")
    if carrier.down_until:
        return "wait", _("The next message tries it")
    return "ok", _("Working")


@admin.register(Carrier)
class CarrierAdmin(ReadOnlyAdmin):
    """The list of providers is the operators' screen."""

    class Media:
        css = {"all": ["css/staff.css"]}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        lanes = [Line(Lane(slug), found) for slug, found in figures.lanes().items()]
        down = {carrier.pk for carrier in Carrier.objects.down()}  # by the database's clock
        context = {
            **self.admin_site.each_context(request),
            "title": _("Lanes and providers"),
            "opts": self.opts,
            "media": self.media,
            "lanes": lanes,
            "carriers": [(each, *standing(each, is_down=each.pk in down)) for each in Carrier.objects.all()],
            "waiting": sum(line.waiting for line in lanes),
            "oldest": max(line.oldest for line in lanes),
            "late": any(line.is_late for line in lanes),
            "unknown": sum(line.unknown for line in lanes),
            "parked": sum(line.parked for line in lanes),
            "deliveries": reverse("admin:notifications_delivery_changelist"),
        }
        response = TemplateResponse(request, "admin/notifications/lanes.html", context)
        response.headers["Refresh"] = str(LOOK_AGAIN)
        return response
