"""Staff screens of this room: customers masked until a reason is given, and the review of photo IDs."""

from base64 import b64encode
from typing import Any

from allauth.account import admin as _allauth_screens  # noqa: F401  (registered now, so that it can be taken away below)
from allauth.account.models import EmailAddress
from django.contrib import admin, messages
from django.contrib.auth import admin as _auth_screens  # noqa: F401
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import flows
from accounts.forms import FindForm, ReasonForm, RefusalForm
from accounts.models import Customer, Look, PhotoId
from accounts.requests import CustomerRequest
from portal.admin import MASK, ReadOnlyAdmin


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    """A customer is found by an exact e-mail, mobile or national code, sent by POST so that it stands in no URL."""

    list_display = ("ref", "is_active", "is_staff", "language", "joined_at", "last_login")
    list_filter = ("is_active", "is_staff", "language")
    search_fields = ("ref",)
    ordering = ("-joined_at",)
    fields = (
        "ref",
        *(f"masked_{name}" for name in Customer.PERSONAL),
        "reveal_link",
        "language",
        "is_active",
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
        ]
        return own + super().get_urls()  # type: ignore[no-any-return]

    @admin.display(description=gettext_lazy("personal information"))
    def reveal_link(self, customer: Customer) -> str:
        url = reverse("admin:accounts_customer_reveal", args=[customer.pk])
        return format_html('<a href="{}">{}</a>', url, _("Show with a reason"))

    def find(self, request: HttpRequest) -> HttpResponse:
        """Go to the customer whose e-mail, mobile or national code was typed."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = FindForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            if customer := form.customer():
                return redirect("admin:accounts_customer_change", customer.pk)
            messages.warning(request, _("No customer has this e-mail, mobile or national code."))
        context = {**self.admin_site.each_context(request), "title": _("Find a customer"), "form": form}
        return TemplateResponse(request, "accounts/admin/ask.html", context)

    def reveal(self, request: CustomerRequest, pk: Any) -> HttpResponse:
        """Ask for the reason, write it down, show the fields once."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        customer = get_object_or_404(Customer, pk=pk)
        form = ReasonForm(request.POST or None)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Personal information of %(ref)s") % {"ref": customer.ref},
            "form": form,
        }
        if request.method == "POST" and form.is_valid():
            why = form.cleaned_data["why"]
            values = flows.reveal(staff=request.user, customer=customer, fields=Customer.PERSONAL, why=why)
            context["values"] = [(Customer.label(name), value) for name, value in values.items()]
        return TemplateResponse(request, "accounts/admin/ask.html", context)


def _masked(name: str) -> Any:
    @admin.display(description=Customer._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    def show(self: CustomerAdmin, customer: Customer) -> str:
        return MASK if getattr(customer, f"has_{name}") else "–"

    return show


for _name in Customer.PERSONAL:
    setattr(CustomerAdmin, f"masked_{_name}", _masked(_name))


@admin.register(PhotoId)
class PhotoIdAdmin(ReadOnlyAdmin):
    """The review queue: oldest waiting first."""

    list_display = ("submitted_at", "customer", "status", "reviewed_at", "reviewed_by")
    list_filter = ("status",)
    list_select_related = ("customer", "reviewed_by")
    ordering = ("submitted_at",)
    fields = ("customer", "status", "submitted_at", "reviewed_at", "reviewed_by", "reason", "review_link")
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        own = [path("<uuid:pk>/review/", self.admin_site.admin_view(self.review), name="accounts_photoid_review")]
        return own + super().get_urls()  # type: ignore[no-any-return]

    @admin.display(description=gettext_lazy("photo"))
    def review_link(self, photo: PhotoId) -> str:
        if not photo.file:
            return "–"
        url = reverse("admin:accounts_photoid_review", args=[photo.pk])
        return format_html('<a href="{}">{}</a>', url, _("Look at the photo"))

    def review(self, request: CustomerRequest, pk: Any) -> HttpResponse:
        """Reason first, then the picture, then the decision."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        # A shredded picture cannot be looked at, and no look may be written down that was none.
        photo = get_object_or_404(PhotoId.objects.exclude(file="").select_related("customer"), pk=pk)
        context = {**self.admin_site.each_context(request), "title": _("Photo of an ID card"), "photo": photo}
        context["may_decide"] = request.user.has_perm("accounts.change_photoid")
        if "approve" in request.POST or "refuse" in request.POST:
            if not context["may_decide"]:
                raise PermissionDenied
            return self._decide(request, photo, context)
        form = context["form"] = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            self._open(request, photo, form.cleaned_data["why"], context)
        return TemplateResponse(request, "accounts/admin/photo.html", context)

    def _open(self, request: CustomerRequest, photo: PhotoId, why: str, context: dict[str, Any]) -> None:
        # Inside the page, so that the picture has no address of its own.
        context["picture"] = b64encode(flows.look_at_photo(staff=request.user, photo=photo, why=why)).decode()
        context["refusal"] = RefusalForm()

    def _decide(self, request: CustomerRequest, photo: PhotoId, context: dict[str, Any]) -> HttpResponse:
        approved, refusal = "approve" in request.POST, RefusalForm(request.POST)
        if not approved and not refusal.is_valid():
            context |= {"refusal": refusal}
            return TemplateResponse(request, "accounts/admin/photo.html", context)
        reason = "" if approved else refusal.cleaned_data["reason"]
        try:
            flows.review_photo_id(photo=photo, staff=request.user, approved=approved, reason=reason)
            messages.success(request, _("Decided; the customer is told."))
        except ValueError:
            messages.warning(request, _("A colleague was faster; this photo is decided already."))
        return redirect("admin:accounts_photoid_changelist")


@admin.register(Look)
class LookAdmin(ReadOnlyAdmin):
    """Who looked at whose information."""

    list_display = ("at", "staff", "customer", "fields")
    list_select_related = ("staff", "customer")
    search_fields = ("customer__ref", "staff__ref")
    date_hierarchy = "at"


# allauth's own screen searches and shows addresses in clear.
admin.site.unregister(EmailAddress)
admin.site.unregister(Group)
