"""Notices to many: what one says and costs, its second person, how far it is, and the ways to hold and stop it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import translation
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import flows, segments
from notifications.messages import CATALOGUE, render
from notifications.models import Broadcast, Channel, Delivery
from notifications.models.broadcasts import Progress
from portal.admin import ReadOnlyAdmin, status_badge
from portal.templatetags.words import digits

REFRESH_S = 5
NAMED_AT_MOST = 50  # of those who were not reached
WIDEST = 1000  # of a bar, in its own units
S = Broadcast.Status
PREPARE, APPROVE = "notifications.prepare_broadcast", "notifications.approve_broadcast"
# What an answer of the world outside means for the one who was to be told.
GROUPS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "waiting": (gettext_lazy("waiting"), (Delivery.Status.QUEUED, Delivery.Status.SENDING)),
    "unknown": (gettext_lazy("being checked"), (Delivery.Status.UNKNOWN,)),
    "accepted": (gettext_lazy("handed over"), (Delivery.Status.ACCEPTED,)),
    "delivered": (gettext_lazy("delivered"), (Delivery.Status.DELIVERED,)),
    "undelivered": (gettext_lazy("not delivered"), (Delivery.Status.UNDELIVERED, Delivery.Status.EXPIRED)),
    "blocked": (gettext_lazy("blocked at the operator"), (Delivery.Status.BLOCKED,)),
    "parked": (gettext_lazy("held for our staff"), (Delivery.Status.PARKED,)),
    "suppressed": (gettext_lazy("not sent"), (Delivery.Status.SUPPRESSED,)),
}


class KillForm(forms.Form):
    why = forms.ChoiceField(label=gettext_lazy("Why it is stopped"), choices=Broadcast.Why.choices)


class Deed(NamedTuple):
    """A button of the page. `fits` says when it is offered; whether it may be done is the flow's to say."""

    name: str
    label: Any
    rights: tuple[str, ...]  # any one of them
    fits: tuple[str, ...]  # statuses
    do: Callable[[Broadcast, Any], object]
    done: Any


DEEDS = {
    deed.name: deed
    for deed in (
        Deed(
            "preview",
            gettext_lazy("Send it to me"),
            (PREPARE, APPROVE),
            (S.READY, S.APPROVED, S.SENDING, S.PAUSED),
            lambda broadcast, by: flows.preview_broadcast(broadcast=broadcast, to=by),
            gettext_lazy("It is on its way to your own e-mail and mobile."),
        ),
        Deed(
            "approve",
            gettext_lazy("Approve and send"),
            (APPROVE,),
            (S.READY,),
            lambda broadcast, by: flows.approve_broadcast(broadcast=broadcast, by=by),
            gettext_lazy("Approved; it begins within seconds."),
        ),
        Deed(
            "pause",
            gettext_lazy("Pause"),
            (PREPARE, APPROVE),
            (S.APPROVED, S.SENDING),
            lambda broadcast, by: flows.pause_broadcast(broadcast=broadcast, by=by),
            gettext_lazy("Paused; nothing more goes out."),
        ),
        Deed(
            "resume",
            gettext_lazy("Go on sending"),
            (APPROVE,),
            (S.PAUSED,),
            lambda broadcast, by: flows.resume_broadcast(broadcast=broadcast, by=by),
            gettext_lazy("It goes on."),
        ),
    )
}
MAY_KILL, KILLABLE = (PREPARE, APPROVE), (S.READY, *Broadcast.RUNNING)


class Line:
    """One channel's figures; `total` is what the whole snapshot comes to."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.name, self.total = Channel(progress.channel).label, total
        self.groups = [
            (key, words, sum(progress.counts.get(status, 0) for status in statuses))
            for key, (words, statuses) in GROUPS.items()
        ]
        left = progress.all - sum(progress.counts.get(status, 0) for status in Delivery.UNSENT)
        self.share = WIDEST * left // total if total else WIDEST


@admin.register(Broadcast)
class BroadcastAdmin(ReadOnlyAdmin):
    """Prepared by an incident, a maintenance or a command; here a second person decides."""

    list_display = ("prepared_at", "message", "source", "reason", "shown_status", "customers", "bar", "is_urgent")
    list_filter = ("status", "reason")
    search_fields = ("=source", "=message")
    list_display_links = ("prepared_at", "message")

    class Media:
        css = {"all": ["css/staff.css"]}

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).with_unsent()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may_act = request.user.has_perm(PREPARE) or request.user.has_perm(APPROVE)
        return may_act or super().has_view_permission(request, obj)

    shown_status = status_badge(Broadcast.TONE)

    @admin.display(description=gettext_lazy("sent"))
    def bar(self, broadcast: Any) -> str:
        """Of all deliveries, those that left."""
        total = (broadcast.readers or 0) * len(CATALOGUE[broadcast.message].channels)
        written = broadcast.fanned * len(CATALOGUE[broadcast.message].channels)
        left = 100 * (written - broadcast.unsent) // total if total else 0
        words = _("%(percent)s%% sent") % {"percent": digits(left)}
        return format_html(
            '<progress class="staff-progress" max="100" value="{}" aria-label="{}"></progress> {}', left, words, words
        )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        deeds = [
            path(f"<int:pk>/{name}/", view(self.act), {"name": name}, name=f"notifications_broadcast_{name}")
            for name in DEEDS
        ]
        kill = path("<int:pk>/kill/", view(self.kill), name="notifications_broadcast_kill")
        return [*deeds, kill, *super().get_urls()]

    # --- what staff do ------------------------------------------------------------------------------------------------

    def act(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        deed = DEEDS[name]
        broadcast = self._for_deed(request, pk, deed.rights)
        try:
            done = broadcast.status in deed.fits and deed.do(broadcast, request.user) is not False
        except flows.NotAllowed as why:
            messages.error(request, str(why))
        except ValueError:  # it moved between our look and the deed
            self._missed(request)
        else:
            messages.success(request, deed.done) if done else self._missed(request)
        return redirect("admin:notifications_broadcast_change", pk)

    def kill(self, request: HttpRequest, pk: int) -> HttpResponse:
        broadcast = self._for_deed(request, pk, MAY_KILL)
        form = KillForm(request.POST)
        if not form.is_valid():
            return self._page(request, broadcast, form)
        try:
            done = flows.kill_broadcast(broadcast=broadcast, by=request.user, why=form.cleaned_data["why"])
        except ValueError:
            done = False
        if done:
            messages.success(request, _("Stopped; what was not sent yet never will be."))
        else:
            self._missed(request)
        return redirect("admin:notifications_broadcast_change", pk)

    def _for_deed(self, request: HttpRequest, pk: int, rights: tuple[str, ...]) -> Broadcast:
        if request.method != "POST" or not any(request.user.has_perm(right) for right in rights):
            raise PermissionDenied
        return self._found(request, pk)

    def _found(self, request: HttpRequest, pk: Any) -> Broadcast:
        broadcast: Broadcast | None = self.get_object(request, str(pk))
        if broadcast is None:
            raise Http404
        return broadcast

    @staticmethod
    def _missed(request: HttpRequest) -> None:
        messages.warning(request, _("A colleague was faster; nothing was changed."))

    # --- what they see ------------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._page(request, self._found(request, object_id), KillForm())

    def _page(self, request: HttpRequest, broadcast: Broadcast, form: KillForm) -> HttpResponse:
        may = [deed for deed in DEEDS.values() if any(request.user.has_perm(right) for right in deed.rights)]
        is_own = broadcast.prepared_by_id == request.user.pk
        context = {
            **self.admin_site.each_context(request),
            "title": CATALOGUE[broadcast.message].name,
            "subtitle": broadcast.source,
            "opts": self.opts,
            "media": self.media,
            "broadcast": broadcast,
            "deeds": [
                (d, reverse(f"admin:notifications_broadcast_{d.name}", args=[broadcast.pk]))
                for d in may
                if broadcast.status in d.fits and not (d.name == "approve" and is_own)
            ],
            "waits_for_colleague": is_own and broadcast.status == S.READY,
            "kill_form": form if self._may_kill(request, broadcast) else None,
            "words": [_words(broadcast, code, name) for code, name in settings.LANGUAGES],
            "steps": broadcast.events.select_related("by"),
            **self._figures(broadcast),
        }
        response = TemplateResponse(request, "notifications/admin/broadcast.html", context)
        if broadcast.status in (S.APPROVED, S.SENDING):
            response["Refresh"] = str(REFRESH_S)
        return response

    @staticmethod
    def _may_kill(request: HttpRequest, broadcast: Broadcast) -> bool:
        return broadcast.status in KILLABLE and any(request.user.has_perm(right) for right in MAY_KILL)

    @staticmethod
    def _figures(broadcast: Broadcast) -> dict[str, Any]:
        """Who was not reached is told once it stands still: looking for them takes a second in a large one."""
        stands = broadcast.status in (S.PAUSED, S.DONE, S.KILLED)
        missing = broadcast.missing().values("customer").distinct() if stands else broadcast.recipients.none()
        return {
            "lines": [Line(progress, broadcast.readers or 0) for progress in broadcast.progress()],
            "groups": [words for words, _statuses in GROUPS.values()],
            "stands": stands,
            "missing": missing.count(),
            "refs": missing.values_list("customer__ref", flat=True)[:NAMED_AT_MOST],
        }


def _words(broadcast: Broadcast, language: str, name: Any) -> dict[str, Any]:
    """What a reader of this language gets by each channel."""
    event, channels = flows.broadcasts.as_event(broadcast, language), CATALOGUE[broadcast.message].channels
    mail = render(event, Channel.EMAIL) if Channel.EMAIL in channels else None
    sms = render(event, Channel.SMS).text if Channel.SMS in channels else ""
    with translation.override(language):
        direction = "rtl" if translation.get_language_bidi() else "ltr"
    return {
        "language": language,
        "name": name,
        "direction": direction,
        "mail": mail,
        "sms": sms,
        "segments": segments.count(sms),
        "letters": len(sms),
    }
