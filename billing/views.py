"""Dashboard, catalogue, orders, services and invoices."""

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Customer, PhotoId
from accounts.requests import CustomerRequest
from billing import flows
from billing.forms import ChooseForm, OrderForm, new_form_token
from billing.models import Invoice, Order, Plan, Service, TaxRate
from billing.models.catalogue import percent
from billing.money import tax_of
from billing.pay_views import ways_to_pay
from notifications.models import Event, Ticket
from portal.areas import area
from portal.prepared import Prepared, together

ON_A_PAGE = 20

SOMEBODY = uuid.uuid4()
# What the dashboard asks each time somebody opens it, by its name in the template.
ON_DASHBOARD = {
    name: Prepared(build, SOMEBODY)
    for name, build in {
        "photos": lambda pk: PhotoId.objects.visible_to(pk).exclude(status=PhotoId.Status.REPLACED).only("status")[:1],
        "invoices_due": lambda pk: (
            Invoice.objects.visible_to(pk).due().order_by("due_on").only("number", "total", "due_on")[:5]
        ),
        "services": lambda pk: (
            Service.objects.visible_to(pk)
            .not_ended()
            .only("public_id", "name_fa", "name_en", "status", "paid_until")[:5]
        ),
        "tickets_open": lambda pk: Ticket.objects.visible_to(pk).open().only("number", "subject")[:5],
        "messages_recent": lambda pk: Event.objects.visible_to(pk).only(
            "message", "purpose", "context", "broadcast", "language", "at"
        )[:5],
    }.items()
}


@area("home")
@never_cache
@require_safe
def home(request: CustomerRequest) -> HttpResponse:
    """What this portal is; for those who are signed in, what waits for them."""
    if not request.user.is_authenticated:
        return render(request, "home.html")
    customer = request.customer
    rows = together(*((query, customer.pk) for query in ON_DASHBOARD.values()))
    lists = dict(zip(ON_DASHBOARD, rows, strict=True))
    if (reads := request.acting.reads) is not None:
        lists["messages_recent"] = [event for event in lists["messages_recent"] if event.purpose in reads]
    context = {"name": customer.name, "steps": _steps(customer, lists.pop("photos")), **lists}
    context |= {f"may_{area}": request.acting.may(area) for area in ("orders", "invoices", "tickets")}
    return render(request, "dashboard.html", context)


def _steps(customer: Customer, photos: list[PhotoId]) -> list[dict[str, Any]]:
    """What is left until the account is complete; nothing once it is."""
    if customer.is_company:
        return _company_steps(customer)
    photo = next(iter(photos), None)
    steps = [
        {
            "done": customer.is_profile_complete,
            "title": _("Complete your profile"),
            "text": _("We need it before you can order. It is stored encrypted."),
            "url": reverse("profile_edit"),
        },
        {
            "done": photo is not None and photo.status != PhotoId.Status.REFUSED,
            "title": _("Send a photo of your ID card"),
            "text": _("Our staff look at it and tell you by e-mail and SMS."),
            "url": reverse("photo_id"),
        },
    ]
    return [] if all(step["done"] for step in steps) else steps


def _company_steps(company: Customer) -> list[dict[str, Any]]:
    if company.is_profile_complete:
        return []
    url = reverse("company_edit", args=[company.ref])
    return [{"done": False, "title": _("Complete the company's details"), "text": "", "url": url}]


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """What can be ordered, for everybody."""
    rate = TaxRate.objects.on(timezone.localdate())
    plans = Plan.objects.on_sale().prefetch_related("options")
    return render(request, "billing/catalogue.html", {"plans": plans, "tax_percent": percent(rate.hundredths)})


@login_required
@area("orders")
@never_cache
@require_http_methods(["GET", "POST"])
def plan(request: CustomerRequest, slug: str) -> HttpResponse:
    """Choose an option, read the summary with tax, place the order."""
    plan = get_object_or_404(Plan.objects.on_sale(), slug=slug)
    if request.method == "POST":
        return _place(request, plan)
    chosen = "option" in request.GET or not plan.options.exists()
    choice = ChooseForm(request.GET if chosen else {"option": ""}, plan=plan)
    if not chosen or not choice.is_valid():
        return render(request, "billing/choose.html", {"plan": plan, "form": choice})
    return _summary(request, plan, OrderForm(initial=_initial(choice), plan=plan), choice.cleaned_data["option"])


def _initial(choice: ChooseForm) -> dict[str, str]:
    option = choice.cleaned_data["option"]
    return {"option": option.slug if option else "", "form_token": new_form_token()}


def _place(request: CustomerRequest, plan: Plan) -> HttpResponse:
    form = OrderForm(request.POST, plan=plan)
    if not form.is_valid():
        return render(request, "billing/choose.html", {"plan": plan, "form": form}, status=422)
    option = form.cleaned_data["option"]
    if not request.customer.is_profile_complete:
        if request.customer.is_company:
            messages.warning(request, _("Before you order, an owner must complete the company's details."))
            return redirect("company", request.customer.ref)
        back = f"{plan.get_absolute_url()}?{urlencode({'option': option.slug if option else ''})}"
        messages.warning(request, _("Before you order, please complete your profile. Your choice is kept."))
        return redirect(f"{reverse('profile_edit')}?{urlencode({'next': back})}")
    order = flows.place_order(
        customer=request.customer, plan=plan, option=option, form_token=form.cleaned_data["form_token"]
    )
    return redirect(order.invoices.get())


def _summary(request: CustomerRequest, plan: Plan, form: OrderForm, option: Any) -> HttpResponse:
    rate = TaxRate.objects.on(timezone.localdate()).hundredths
    subtotal = plan.monthly_price + (option.monthly_price if option else 0)
    tax = tax_of(subtotal, rate)
    context = {"plan": plan, "form": form, "option": option, "has_options": plan.options.exists()}
    context |= {"subtotal": subtotal, "tax": tax, "tax_percent": percent(rate), "total": subtotal + tax}
    context |= {"profile_complete": request.customer.is_profile_complete}
    return render(request, "billing/summary.html", context)


@login_required
@area("orders")
@never_cache
@require_safe
def orders(request: CustomerRequest) -> HttpResponse:
    rows = Order.objects.visible_to(request.customer).select_related("service").prefetch_related("invoices")
    return render(request, "billing/orders.html", {"orders": _page(request, rows)})


@login_required
@area("orders")
@require_POST
def order_cancel(request: CustomerRequest, number: str) -> HttpResponse:
    order = get_object_or_404(Order.objects.visible_to(request.customer), number=number)
    try:
        if flows.cancel_order(order=order):
            messages.success(request, _("The order is cancelled. Nothing is due for it."))
    except flows.CannotCancel as why:
        messages.warning(request, str(why))
    return redirect("orders")


@login_required
@area("services")
@never_cache
@require_safe
def services(request: CustomerRequest) -> HttpResponse:
    return render(request, "billing/services.html", {"services": _page(request, _services(request))})


@login_required
@area("services")
@never_cache
@require_safe
def service(request: CustomerRequest, public_id: str) -> HttpResponse:
    row = get_object_or_404(_services(request), public_id=public_id)
    timeline = [{"at": e.at, "title": e.title, "note": "", "tone": e.tone} for e in row.events.all()]
    invoices = row.order.invoices.all() if request.acting.may("invoices") else []
    context = {"service": row, "timeline": timeline, "invoices": invoices}
    return render(request, "billing/service.html", context)


def _services(request: CustomerRequest) -> Any:
    return Service.objects.visible_to(request.customer).select_related("order")


@login_required
@area("invoices")
@never_cache
@require_safe
def invoices(request: CustomerRequest) -> HttpResponse:
    rows = Invoice.objects.visible_to(request.customer)
    return render(request, "billing/invoices.html", {"invoices": _page(request, rows)})


@login_required
@area("invoices")
@never_cache
@require_safe
def invoice(request: CustomerRequest, number: str) -> HttpResponse:
    """The document, what was paid for it and how, and the ways to pay it."""
    rows = Invoice.objects.visible_to(request.customer).select_related("order__service")
    row = get_object_or_404(rows, number=number)
    payments = list(row.payments.prefetch_related("events"))
    context = {
        "invoice": row,
        "lines": row.lines.all(),
        "payments": payments,
        "being_checked": next((payment for payment in payments if payment.is_unanswered), None),
        **(ways_to_pay(row) if row.is_payable else {}),
    }
    return render(request, "billing/invoice.html", context)


def _page(request: CustomerRequest, rows: Any) -> Any:
    return Paginator(rows, ON_A_PAGE).get_page(request.GET.get("page"))
