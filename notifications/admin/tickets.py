"""The tickets that wait for an answer."""

import uuid
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import flows
from notifications.forms import StaffAnswerForm
from notifications.models import Attachment, Ticket
from notifications.models.tickets import TicketClosed
from notifications.views import attachment_response
from portal.admin import ReadOnlyAdmin, status_badge


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin):
    """Tickets to answer. Staff read the words because answering is the job; who wrote them stays a reference."""

    list_display = ("number", "shown_status", "opened_at", "age", "customer")
    list_filter = ("status",)
    search_fields = ("=number", "customer__ref")
    list_select_related = ("customer",)
    ordering = ("-status", "changed_at")
    shown_status = status_badge(Ticket.TONE)

    @admin.display(description=gettext_lazy("waits for"))
    def age(self, ticket: Ticket) -> str:
        return timesince(ticket.changed_at, timezone.now()) if ticket.status == Ticket.Status.OPEN else "–"

    def get_urls(self) -> list[URLPattern]:
        file = self.admin_site.admin_view(self.attachment)
        own = [path("<int:number>/attachments/<uuid:pk>/", file, name="notifications_ticket_attachment")]
        return own + super().get_urls()  # type: ignore[no-any-return]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The conversation and, while it is open, a box to answer in."""
        ticket = self.get_object(request, object_id)
        if ticket is None:
            raise Http404
        if not self.has_view_permission(request, ticket):
            raise PermissionDenied
        may_answer = request.user.has_perm("notifications.change_ticket") and not ticket.is_closed
        if request.method == "POST" and not request.user.has_perm("notifications.change_ticket"):
            raise PermissionDenied
        form = StaffAnswerForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            return self._answer(request, ticket, form.cleaned_data)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Ticket %(number)s") % {"number": ticket.number},
            "opts": self.opts,
            "ticket": ticket,
            "turns": ticket.messages.select_related("author").prefetch_related("attachments"),
            "form": form,
            "may_answer": may_answer,
        }
        return TemplateResponse(request, "notifications/admin/ticket.html", context)

    def _answer(self, request: HttpRequest, ticket: Ticket, cleaned: dict[str, Any]) -> HttpResponse:
        closes = cleaned.pop("close")
        try:
            flows.answer_ticket(ticket=ticket, author=request.user, **cleaned)
            if closes:
                flows.close_ticket(ticket=ticket, by=request.user)
            messages.success(request, _("Sent; the customer is told by e-mail and SMS."))
        except TicketClosed:
            messages.warning(request, _("This ticket was closed in the meantime; nothing was sent."))
        return redirect("admin:notifications_ticket_change", ticket.pk)

    def attachment(self, request: HttpRequest, number: int, pk: uuid.UUID) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        files = Attachment.objects.exclude(file="")
        return attachment_response(get_object_or_404(files, pk=pk, message__ticket__number=number), number)
