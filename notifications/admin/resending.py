"""The button that sends a delivery again, and the same for many at once; each asks for the reason first."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import codes, flows
from notifications.forms import ResendForm
from notifications.models import Delivery
from portal.admin import ReadOnlyAdmin
from portal.templatetags.words import digits


class Button(NamedTuple):
    """As templates/admin/buttons.html and press.html show it."""

    label: Any = gettext_lazy("Send again")
    says: Any = gettext_lazy("It goes to the address that the account has now. Your name and the reason stay with it.")
    is_grave: bool = False


class WithResend(ReadOnlyAdmin):
    """Deliveries, which whoever has the right may send again."""

    actions = ("send_again",)
    change_form_outer_before_template = "admin/buttons.html"

    class Media:
        css = {"all": ["css/staff.css"]}

    def get_urls(self) -> list[URLPattern]:
        resend = self.admin_site.admin_view(self.resend)
        return [path("<uuid:pk>/resend/", resend, name="notifications_delivery_resend"), *super().get_urls()]

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.resend_delivery")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        extra = dict(extra_context or {})
        row = self.get_object(request, object_id)
        if row is not None and self.has_resend_permission(request):
            if reason := flows.why_not(row):
                extra["advice"] = [_("It cannot be sent again. %(reason)s") % {"reason": reason}]
            else:
                extra["buttons"] = [(Button(), reverse("admin:notifications_delivery_resend", args=[row.pk]))]
        answer: HttpResponse = super().change_view(request, object_id, form_url, extra)
        return answer

    def resend(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Say what will happen and ask why; do it by POST alone."""
        if not self.has_resend_permission(request):
            raise PermissionDenied
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        back = reverse("admin:notifications_delivery_change", args=[pk])
        if reason := flows.why_not(row):
            messages.warning(request, reason)
            return redirect(back)
        form = ResendForm(request.POST or None)
        if form.is_valid():
            self._send(request, [row], form.cleaned_data["why"])
            return redirect(back)
        facts = [
            (_("Message"), row.event),
            (_("Channel"), row.get_channel_display()),
            (_("Status"), row.get_status_display()),
            (_("Last answer"), " – ".join(filter(None, (row.last_code, codes.explain(row.last_code, row.carrier))))),
        ]
        return self._ask(request, form, facts, back)

    @admin.action(description=gettext_lazy("Send again, with a reason"), permissions=["resend"])
    def send_again(self, request: HttpRequest, deliveries: Any) -> HttpResponse | None:
        """The same for those ticked in the list."""
        form = ResendForm(request.POST if "why" in request.POST else None)
        if form.is_valid():
            self._send(request, deliveries, form.cleaned_data["why"])
            return None
        # The list asks for these again before it lets the action run.
        names = ("action", "select_across", ACTION_CHECKBOX_NAME)
        ticked = [(name, value) for name in names for value in request.POST.getlist(name)]
        facts = [(_("Messages"), digits(deliveries.count()))]
        return self._ask(request, form, facts, request.get_full_path(), ticked)

    def _send(self, request: HttpRequest, rows: Iterable[Delivery], why: str) -> None:
        sent, refused = 0, Counter[str]()
        for row in rows:
            try:
                if flows.send_again(delivery=row, by=request.user, why=why):
                    sent += 1
                else:
                    refused[_("A colleague was faster; nothing was changed.")] += 1
            except flows.CannotResend as reason:
                refused[str(reason)] += 1
        if sent:
            messages.success(request, _("%(count)s put back to be sent.") % {"count": digits(sent)})
        for words, count in refused.items():
            messages.warning(request, _("%(count)s not sent: %(reason)s") % {"count": digits(count), "reason": words})

    def _ask(
        self, request: HttpRequest, form: ResendForm, facts: Any, back: str, ticked: Iterable[tuple[str, str]] = ()
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": Button().label,
            "opts": self.opts,
            "media": self.media,
            "facts": facts,
            "button": Button(),
            "form": form,
            "ticked": ticked,
            "back": back,
        }
        return TemplateResponse(request, "admin/press.html", context)
