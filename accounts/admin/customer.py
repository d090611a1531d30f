"""Customers, masked until a reason is given."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import flows
from accounts.forms import FindForm, ReasonForm, SuspensionForm
from accounts.models import Company, Customer, Suspension
from accounts.requests import CustomerRequest
from portal.admin import MASK, ReadOnlyAdmin


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    """A customer is found by an exact value or a surname, sent by POST so that it stands in no URL."""

    list_display = ("ref", "kind", "is_active", "is_staff", "language", "joined_at", "last_login")
    list_filter = ("kind", "is_active", "is_staff", "language")
    search_fields = ("ref",)
    ordering = ("-joined_at",)
    fields = (
        "ref",
        "kind",
        *(f"masked_{name}" for name in Customer.PERSONAL),
        "reveal_link",
        "language",
        "is_active",
        "suspension_link",
        "told_link",
        "is_staff",
        "joined_at",
        "last_login",
        "mobile_verified_at",
    )
    readonly_fields = fields
    change_list_template = "accounts/admin/customers.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        """Whether a field is filled, without opening it."""
        filled = {f"has_{name}": Q(**{f"{name}__isnull": False}) for name in Customer.PERSONAL}
        return super().get_queryset(request).defer(*Customer.PERSONAL).annotate(**filled)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("find/", self.admin_site.admin_view(self.find), name="accounts_customer_find"),
            path("<uuid:pk>/reveal/", self.admin_site.admin_view(self.reveal), name="accounts_customer_reveal"),
            path("<uuid:pk>/suspend/", self.admin_site.admin_view(self.suspend), name="accounts_customer_suspend"),
            path("<uuid:pk>/lift/", self.admin_site.admin_view(self.lift), name="accounts_customer_lift"),
        ]
        return own + super().get_urls()  # type: ignore[no-any-return]

    @admin.display(description=gettext_lazy("personal information"))
    def reveal_link(self, customer: Customer) -> str:
        url = reverse("admin:accounts_customer_reveal", args=[customer.pk])
        return format_html('<a href="{}">{}</a>', url, _("Show with a reason"))

    @admin.display(description=gettext_lazy("suspension"))
    def suspension_link(self, customer: Customer) -> str:
        if customer.is_active:
            name, words = "accounts_customer_suspend", _("Suspend with a reason")
        elif suspension := Suspension.objects.standing().filter(customer=customer).first():
            name = "accounts_customer_lift"
            words = _("Suspended since %(day)s: lift it") % {"day": date_format(localtime(suspension.at))}
        else:
            return "–"
        return format_html('<a href="{}">{}</a>', reverse(f"admin:{name}", args=[customer.pk]), words)

    @admin.display(description=gettext_lazy("messages"))
    def told_link(self, customer: Customer) -> str:
        url = reverse("admin:notifications_event_of", args=[customer.ref])
        return format_html('<a href="{}">{}</a>', url, _("What we told this customer"))

    def find(self, request: HttpRequest) -> HttpResponse:
        """Go to the customer who was meant; of several, show references to choose from."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = FindForm(request.POST or None)
        context = {**self.admin_site.each_context(request), "title": _("Find a customer"), "form": form}
        if request.method == "POST" and form.is_valid():
            context["found"] = found = form.cleaned_data["found"]
            if len(found) == 1:
                return redirect("admin:accounts_customer_change", found[0].pk)
            if not found:
                messages.warning(request, _("No customer was found. Please check each letter and digit."))
        return TemplateResponse(request, "accounts/admin/find.html", context)

    def reveal(self, request: CustomerRequest, pk: Any) -> HttpResponse:
        """Ask for the reason, write it down, show the fields once. A link may name the `field` it needs, and why."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        customer = get_object_or_404(Customer, pk=pk)
        form = ReasonForm(request.POST or None, initial={"why": request.GET.get("why", "")})
        context = {
            **self.admin_site.each_context(request),
            "title": _("Personal information of %(ref)s") % {"ref": customer.ref},
            "form": form,
        }
        if request.method == "POST" and form.is_valid():
            why = form.cleaned_data["why"]
            fields = Customer.PERSONAL + (Company.PERSONAL if customer.is_company else ())
            fields = tuple(name for name in fields if name in request.GET.getlist("field", fields))
            values = flows.reveal(staff=request.user, customer=customer, fields=fields, why=why)
            context["values"] = [(Customer.label(name), value) for name, value in values.items()]
        return TemplateResponse(request, "accounts/admin/ask.html", context)

    def suspend(self, request: CustomerRequest, pk: Any) -> HttpResponse:
        """Close the account for a time: the customer is signed out everywhere and reads the reason."""
        customer = self._to_suspend(request, pk)
        form = SuspensionForm(request.POST or None)
        title = _("Suspend %(ref)s") % {"ref": customer.ref}
        context = {**self.admin_site.each_context(request), "title": title, "form": form, "label": _("Suspend")}
        if request.method == "POST" and form.is_valid():
            done = flows.suspend(staff=request.user, customer=customer, why=form.cleaned_data["why"])
            self._answer(request, done, _("Suspended; the customer is signed out everywhere and is told."))
            return redirect("admin:accounts_customer_change", customer.pk)
        return TemplateResponse(request, "accounts/admin/ask.html", context)

    def lift(self, request: CustomerRequest, pk: Any) -> HttpResponse:
        """Open the account again; the page shows why it was closed."""
        customer = self._to_suspend(request, pk)
        suspension = get_object_or_404(Suspension.objects.standing(), customer=customer)
        if request.method == "POST":
            done = flows.lift_suspension(staff=request.user, customer=customer)
            self._answer(request, done, _("The account is open again; the customer is told."))
            return redirect("admin:accounts_customer_change", customer.pk)
        title = _("Lift the suspension of %(ref)s") % {"ref": customer.ref}
        context = {**self.admin_site.each_context(request), "title": title, "suspension": suspension}
        return TemplateResponse(request, "accounts/admin/lift.html", context)

    def _to_suspend(self, request: CustomerRequest, pk: Any) -> Customer:
        customer = get_object_or_404(Customer, pk=pk)
        may = request.user.has_perm("accounts.suspend_customer") and request.user.pk != customer.pk
        if not may or (customer.is_superuser and not request.user.is_superuser):
            raise PermissionDenied
        return customer

    def _answer(self, request: HttpRequest, done: object, words: str) -> None:
        if done:
            messages.success(request, words)
        else:
            messages.warning(request, _("A colleague was faster; nothing was changed."))


def _masked(name: str) -> Any:
    @admin.display(description=Customer._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    def show(self: CustomerAdmin, customer: Customer) -> str:
        return MASK if getattr(customer, f"has_{name}") else "–"

    return show


for _name in Customer.PERSONAL:
    setattr(CustomerAdmin, f"masked_{_name}", _masked(_name))
