"""Tickets, and every message that we sent you."""

import uuid
from typing import Any

from django.contrib import messages as notices
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from notifications import flows
from notifications.attachments import ENDINGS
from notifications.forms import AnswerForm, TicketForm
from notifications.messages import shown
from notifications.models import Attachment, Event, Suppression, Ticket
from notifications.models.tickets import TicketClosed
from notifications.progress import label, sms_block, timeline, tone
from portal.areas import AreaRequest, area

ON_A_PAGE = 20


# --- what you told us -------------------------------------------------------------------------------------------------


@login_required
@area("tickets")
@never_cache
@require_safe
def tickets(request: AreaRequest) -> HttpResponse:
    """Your tickets, the last one that moved first."""
    page = Paginator(Ticket.objects.visible_to(request.customer), ON_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "notifications/tickets.html", {"page": page})


@login_required
@area("tickets")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ticket_new(request: AreaRequest) -> HttpResponse:
    form = TicketForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        ticket = flows.open_ticket(customer=request.customer, author=request.user, **form.cleaned_data)
        notices.success(request, _("Your ticket has reached us. We tell you by e-mail and SMS when we answer."))
        return redirect(ticket)
    return render(request, "notifications/ticket_new.html", {"form": form})


@login_required
@area("tickets")
@never_cache
@require_safe
def ticket(request: AreaRequest, number: int) -> HttpResponse:
    return _ticket_page(
        request, get_object_or_404(Ticket.objects.visible_to(request.customer), number=number), AnswerForm()
    )


@login_required
@area("tickets")
@never_cache
@require_POST
def ticket_answer(request: AreaRequest, number: int) -> HttpResponse:
    ticket = get_object_or_404(Ticket.objects.visible_to(request.customer), number=number)
    form = AnswerForm(request.POST, request.FILES)
    if not form.is_valid():
        return _ticket_page(request, ticket, form)
    try:
        flows.answer_ticket(ticket=ticket, author=request.user, acting_for=request.customer, **form.cleaned_data)
    except TicketClosed:
        notices.warning(request, _("This ticket was closed in the meantime. Please open a new one."))
        return _ticket_page(request, ticket, form)
    notices.success(request, _("Your message has reached us."))
    return redirect(ticket)


@login_required
@area("tickets")
@never_cache
@require_POST
def ticket_close(request: AreaRequest, number: int) -> HttpResponse:
    ticket = get_object_or_404(Ticket.objects.visible_to(request.customer), number=number)
    if flows.close_ticket(ticket=ticket, by=request.user, acting_for=request.customer):
        notices.success(request, _("The ticket is closed. Thank you."))
    return redirect(ticket)


@login_required
@area("tickets")
@never_cache
@require_safe
def ticket_attachment(request: AreaRequest, number: int, pk: uuid.UUID) -> HttpResponse:
    own = Attachment.objects.visible_to(request.customer).exclude(file="")
    return attachment_response(get_object_or_404(own, pk=pk, message__ticket__number=number), number)


def attachment_response(attachment: Attachment, number: int) -> HttpResponse:
    """The file, to be saved and never shown: under a name of ours, in a sandbox, kept by no cache."""
    response = HttpResponse(attachment.content(), content_type=attachment.content_type)
    name = f"ticket-{number}-{attachment.pk.hex[:6]}.{ENDINGS[attachment.content_type]}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


def _ticket_page(request: AreaRequest, ticket: Ticket, form: AnswerForm) -> HttpResponse:
    ticket.refresh_from_db(fields=["status"])
    turns = ticket.messages.prefetch_related("attachments")
    return render(request, "notifications/ticket.html", {"ticket": ticket, "turns": turns, "form": form})


# --- what we told you -------------------------------------------------------------------------------------------------


@login_required
@area("messages")
@never_cache
@require_safe
def messages(request: AreaRequest) -> HttpResponse:
    """Every message, the newest first, and whether it arrived."""
    events = Event.objects.visible_to(request.customer, request.acting.reads).with_words()
    page = Paginator(events.prefetch_related("deliveries"), ON_A_PAGE).get_page(request.GET.get("page"))
    rows = [(event, {way.channel: (label(way), tone(way)) for way in event.deliveries.all()}) for event in page]
    return render(request, "notifications/messages.html", {"page": page, "rows": rows, **reach(request.user)})


def reach(reader: Any) -> dict[str, Any]:
    """What keeps our messages from arriving, for templates/notifications/reach.html."""
    return {"suppressed": Suppression.objects.open_of(reader), "sms_block": sms_block(reader)}


@login_required
@area("messages")
@never_cache
@require_POST
def try_again(request: AreaRequest) -> HttpResponse:
    """Their owner says that letters arrive again; if they do not, they come back and we stop again."""
    for suppression in Suppression.objects.open_of(request.user):
        flows.lift_suppression(
            reader=request.user, channel=suppression.channel, why=Suppression.Lift.ASKED, by=request.user
        )
        notices.success(request, _("Thank you. From now on we write to this address again."))
    return redirect("messages")


@login_required
@area("messages")
@never_cache
@require_safe
def message(request: AreaRequest, pk: uuid.UUID) -> HttpResponse:
    """Its words as they were sent, and how each channel went."""
    event = get_object_or_404(Event.objects.visible_to(request.customer, request.acting.reads).with_words(), pk=pk)
    ways = [(delivery, timeline(delivery)) for delivery in event.deliveries.prefetch_related("attempts")]
    return render(request, "notifications/message.html", {"event": event, "text": shown(event), "ways": ways})
