"""Leaving for the bank, coming back, and what became of the money."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import CustomerRequest
from billing import flows, gateways
from billing.forms import PayForm, new_form_token
from billing.models import GatewayAccount, Invoice, LedgerEntry, Payment, PaymentEvent
from portal.areas import area
from portal.jalali import toman
from portal.prepared import Prepared, together
from portal.templatetags.words import language

SECONDS_UNTIL_NEXT_LOOK = 5


def _at(gateway: str, public_id: str) -> Any:
    return Payment.objects.filter(gateway=gateway, public_id=public_id).order_by()


_there = Prepared(lambda gateway, public_id: _at(gateway, public_id).only("pk"), "a gateway", "a public id")
_open = Prepared(lambda gateway, public_id: _at(gateway, public_id).open_to_callback(), "a gateway", "a public id")


@login_required
@area("invoices")
@require_POST
def invoice_pay(request: CustomerRequest, number: str) -> HttpResponse:
    """Start an attempt, then go to its own page: the one page that may leave for a bank."""
    invoice = get_object_or_404(Invoice.objects.visible_to(request.customer), number=number)
    form = PayForm(request.POST)
    if not form.is_valid():
        for field in form.errors.values():
            messages.warning(request, str(field[0]))
        return redirect(invoice)
    asked = form.cleaned_data
    try:
        payment = flows.start_payment(
            invoice=invoice, gateway=asked["gateway"], form_token=asked["form_token"], amount=asked["part"]
        )
    except flows.CannotPay as why:
        messages.warning(request, str(why))
        return redirect(invoice)
    return _see(reverse("pay", args=[payment.public_id]))


@login_required
@area("invoices")
@require_POST
def invoice_use_credit(request: CustomerRequest, number: str) -> HttpResponse:
    """Pay from the credit as much as it covers."""
    invoice = get_object_or_404(Invoice.objects.visible_to(request.customer), number=number)
    try:
        if used := flows.use_credit(invoice=invoice):
            messages.success(request, _("%(amount)s of your credit was used.") % {"amount": toman(used, language())})
    except flows.CannotPay as why:
        messages.warning(request, str(why))
    return redirect(invoice)


@login_required
@area("invoices")
@never_cache
@require_safe
def pay(request: CustomerRequest, public_id: str) -> HttpResponse:
    """The page that leaves. Only here may a form go to the bank, and the bank learn where the browser comes from."""
    payment = get_object_or_404(_payments(request), public_id=public_id)
    if payment.status != Payment.Status.SENT or not payment.token:
        return redirect("pay_result", public_id=public_id)
    adapter = gateways.gateway(payment.gateway)
    context = {"payment": payment, "gateway": adapter, "start": adapter.leave(payment.token)}
    response = render(request, "billing/pay.html", context)
    # The banks know their shops by the Referer; the origin alone tells them, without this attempt's address.
    response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    response._csp_update = {"form-action": [gateways.origin(adapter.browser_url)]}  # type: ignore[attr-defined]
    return response


@csrf_exempt
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def pay_callback(request: HttpRequest, gateway: str, public_id: str) -> HttpResponse:
    """A browser sent by the bank, without our cookies. The answer is the same whatever it brings."""
    there, takes_it = together((_there, gateway, public_id), (_open, gateway, public_id))
    if not there or gateway not in settings.GATEWAY:
        raise Http404
    adapter = gateways.gateway(gateway)
    if takes_it and request.method == adapter.returns_by:  # most duplicates end here, without a lock
        returned = adapter.pick(request.POST if adapter.returns_by == "POST" else request.GET)
        flows.receive_callback(payment=takes_it[0], returned=returned)
    return _see(reverse("pay_result", args=[public_id]))


@login_required
@area("invoices")
@never_cache
@require_safe
def pay_result(request: CustomerRequest, public_id: str) -> HttpResponse:
    """What happened to the money, in plain words."""
    payment = get_object_or_404(_payments(request).prefetch_related("events"), public_id=public_id)
    invoice = payment.invoice
    others = invoice.payments.exclude(pk=payment.pk).unanswered()
    can_retry = invoice.is_payable and not payment.is_being_worked_on and not others.exists()
    context = {
        "payment": payment,
        "invoice": invoice,
        "gateway": _known(payment.gateway),
        "kept_as_credit": any(event.note == PaymentEvent.Note.KEPT_AS_CREDIT for event in payment.events.all()),
        "timeline": timeline(payment),
        **(ways_to_pay(invoice) if can_retry else {}),
        "seconds": SECONDS_UNTIL_NEXT_LOOK,
    }
    response = render(request, "billing/pay_result.html", context)
    if payment.is_being_worked_on:
        response.headers["Refresh"] = str(SECONDS_UNTIL_NEXT_LOOK)
    return response


def ways_to_pay(invoice: Invoice) -> dict[str, Any]:
    """What the form that pays an invoice needs."""
    received, credit = LedgerEntry.objects.received_and_credit(invoice)
    due = invoice.total - received
    ways = GatewayAccount.objects.ways(due)
    at_once = all(way.parts == 1 for way in ways)
    sums = {"due": due, "received": received, "credit": credit, "at_once": at_once}
    return {**sums, "ways": ways, "form_token": new_form_token()}


def timeline(payment: Payment) -> list[dict[str, Any]]:
    """The attempt's steps, the bank's codes explained."""
    return [
        {
            "at": e.at,
            "title": e.title,
            "note": e.note_words or gateways.explained(payment.gateway, e.code),
            "tone": e.tone,
        }
        for e in payment.events.all()
    ]


def _known(slug: str) -> gateways.Gateway | None:
    return gateways.gateway(slug) if slug in settings.GATEWAY else None


def _payments(request: CustomerRequest, *related: str) -> Any:
    return Payment.objects.visible_to(request.customer).select_related("invoice__order__service", *related)


def _see(url: str) -> HttpResponse:
    """303: whatever the method was, the next page is fetched by GET."""
    return HttpResponse(status=303, headers={"Location": url})
