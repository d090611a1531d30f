"""The review of photo IDs."""

from base64 import b64encode
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import flows
from accounts.forms import ApprovalForm, ReasonForm, RefusalForm
from accounts.models import PhotoId
from accounts.requests import CustomerRequest
from portal.admin import ReadOnlyAdmin


@admin.register(PhotoId)
class PhotoIdAdmin(ReadOnlyAdmin):
    """The review queue: what waits longest stands first."""

    list_display = ("customer", "status", "submitted_at", "waits", "reviewed_at", "reviewed_by", "expires_on")
    list_filter = ("status",)
    list_select_related = ("customer", "reviewed_by")
    ordering = (Case(When(status=PhotoId.Status.WAITING, then=0), default=1), "submitted_at")
    search_fields = ("=customer__ref",)
    fields = (
        *("customer", "status", "submitted_at", "reviewed_at", "reviewed_by", "expires_on", "reason", "kept_until"),
        "review_link",
    )
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("<uuid:pk>/review/", self.admin_site.admin_view(self.review), name="accounts_photoid_review"),
            path("<uuid:pk>/again/", self.admin_site.admin_view(self.again), name="accounts_photoid_again"),
        ]
        return own + super().get_urls()  # type: ignore[no-any-return]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With how many wait, and since when."""
        waiting = PhotoId.objects.filter(status=PhotoId.Status.WAITING)
        count, since = waiting.count(), waiting.order_by("submitted_at").first()
        words = ngettext("%(count)s photo waits", "%(count)s photos wait", count) % {"count": count}
        title = f"{words} · {timesince(since.submitted_at)}" if since else words
        return cast(HttpResponse, super().changelist_view(request, {**(extra_context or {}), "title": title}))

    @admin.display(description=gettext_lazy("waits for"))
    def waits(self, photo: PhotoId) -> str:
        return timesince(photo.submitted_at) if photo.status == PhotoId.Status.WAITING else "–"

    @admin.display(description=gettext_lazy("picture is kept until"))
    def kept_until(self, photo: PhotoId) -> Any:
        return photo.kept_until or "–"

    @admin.display(description=gettext_lazy("photo"))
    def review_link(self, photo: PhotoId) -> str:
        links = []
        if photo.file:
            links.append((reverse("admin:accounts_photoid_review", args=[photo.pk]), _("Look at the photo")))
        if photo.status == PhotoId.Status.APPROVED:
            links.append((reverse("admin:accounts_photoid_again", args=[photo.pk]), _("Ask for a new photo")))
        return format_html_join(" · ", '<a class="text-primary-600 underline" href="{}">{}</a>', links) or "–"

    def review(self, request: CustomerRequest, pk: Any) -> HttpResponse:
        """Reason first, then the picture, then the decision."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        # A shredded picture cannot be looked at, and no look may be written down that was none.
        photo = get_object_or_404(PhotoId.objects.exclude(file="").select_related("customer"), pk=pk)
        context = {**self.admin_site.each_context(request), "title": _("Photo of an ID card"), "photo": photo}
        context["may_decide"] = (
            request.user.has_perm("accounts.change_photoid") and request.user.pk != photo.customer_id
        )
        if "approve" in request.POST or "refuse" in request.POST:
            if not context["may_decide"]:
                raise PermissionDenied
            return self._decide(request, photo, context)
        form = context["form"] = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            # Inside the page, so that the picture has no address of its own.
            jpeg = flows.look_at_photo(staff=request.user, photo=photo, why=form.cleaned_data["why"])
            context |= {"picture": b64encode(jpeg).decode(), "refusal": RefusalForm(), "approval": ApprovalForm()}
        return TemplateResponse(request, "accounts/admin/photo.html", context)

    def _decide(self, request: CustomerRequest, photo: PhotoId, context: dict[str, Any]) -> HttpResponse:
        approved = "approve" in request.POST
        approval, refusal = ApprovalForm(request.POST if approved else None), RefusalForm(request.POST or None)
        if not (approval.is_valid() if approved else refusal.is_valid()):
            context |= {"refusal": RefusalForm() if approved else refusal, "approval": approval}
            return TemplateResponse(request, "accounts/admin/photo.html", context)
        decision: dict[str, Any] = (
            approval.cleaned_data if approved else {"reason": refusal.words(photo.customer.language)}
        )
        try:
            flows.review_photo_id(photo=photo, staff=request.user, approved=approved, **decision)
            messages.success(request, _("Decided; the customer is told."))
        except ValueError:
            messages.warning(request, _("A colleague was faster; this photo is decided already."))
        return redirect("admin:accounts_photoid_changelist")

    def again(self, request: CustomerRequest, pk: Any) -> HttpResponse:
        """Ask the customer for a new photo in place of an approved one."""
        if not request.user.has_perm("accounts.change_photoid"):
            raise PermissionDenied
        photo = get_object_or_404(PhotoId.objects.select_related("customer"), pk=pk, status=PhotoId.Status.APPROVED)
        form = RefusalForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            flows.ask_for_photo_id_again(photo=photo, reason=form.words(photo.customer.language))
            messages.success(request, _("The customer is asked for a new photo."))
            return redirect("admin:accounts_photoid_changelist")
        context = {**self.admin_site.each_context(request), "title": _("Ask for a new photo"), "form": form}
        return TemplateResponse(request, "accounts/admin/ask.html", context)
