"""The review of photo IDs."""

from base64 import b64encode
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import flows
from accounts.forms import ReasonForm, RefusalForm
from accounts.models import PhotoId
from accounts.requests import CustomerRequest
from portal.admin import ReadOnlyAdmin


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
