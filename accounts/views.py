"""Your profile, the photo of your ID card, and who has seen them."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn.views import RemoveWebAuthnView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import flows
from accounts.forms import PhotoIdForm, ProfileForm
from accounts.models import ContactChange, Customer, Look, PhotoId
from accounts.requests import CustomerRequest
from notifications.models import Suppression


@login_required
@never_cache
@require_safe
def profile(request: CustomerRequest) -> HttpResponse:
    """What we know about you, masked until you open it."""
    customer = request.user
    values = {name: getattr(customer, name) for name in Customer.PERSONAL if name not in ("email", "mobile")}
    values["gender"] = customer.get_gender_display()
    facts = [(Customer.label(name), value) for name, value in values.items()]
    photo = PhotoId.objects.visible_to(customer).first()
    context = {
        "customer": customer,
        "facts": facts,
        "photo": photo,
        "suppressed": Suppression.objects.open_of(customer),
    }
    return render(request, "accounts/profile.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def profile_edit(request: CustomerRequest) -> HttpResponse:
    """Fill in or correct; `next` brings back to where the profile was asked for."""
    form = ProfileForm(request.POST or None, instance=Customer.objects.get(pk=request.user.pk))
    following = request.POST.get("next", request.GET.get("next", ""))
    if not url_has_allowed_host_and_scheme(following, allowed_hosts=None):
        following = ""
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your profile is saved."))
        return redirect(following or "profile")
    return render(request, "accounts/profile_edit.html", {"form": form, "next": following})


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def photo_id(request: CustomerRequest) -> HttpResponse:
    """Hand in the photo and read what became of it."""
    customer = request.user
    photo = PhotoId.objects.visible_to(customer).first()
    if photo and photo.status == PhotoId.Status.APPROVED:
        return render(request, "accounts/photo_id.html", {"photo": photo})
    form = PhotoIdForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        flows.submit_photo_id(customer=customer, jpeg=form.cleaned_data["photo"])
        messages.success(request, _("Thank you. We look at your photo and tell you by e-mail and SMS."))
        return redirect("photo_id")
    return render(request, "accounts/photo_id.html", {"form": form, "photo": photo})


@login_required
@reauthentication_required  # type: ignore[untyped-decorator]
@never_cache
@require_http_methods(["GET", "POST"])
def export(request: CustomerRequest) -> HttpResponse:
    """Everything that we hold about you, as a file; the page says what is in it before it is asked for."""
    if request.method == "GET":
        return render(request, "accounts/export.html")
    response = JsonResponse(
        flows.hand_over(customer=request.user), json_dumps_params={"ensure_ascii": False, "indent": 1}
    )
    response.headers["Content-Disposition"] = f'attachment; filename="yaghout-{request.user.ref}.json"'
    return response


@never_cache
@require_http_methods(["GET", "POST"])
def undo_contact_change(request: HttpRequest, token: str) -> HttpResponse:
    """Whoever has the link that we sent to the old address takes the account back; opening it alone does nothing."""
    if request.method == "POST":
        done = flows.undo_contact_change(token=token)
        return render(request, "accounts/undo_contact_change.html", {"done": done}, status=200 if done else 410)
    change = ContactChange.objects.opened_by(token)
    return render(request, "accounts/undo_contact_change.html", {"change": change}, status=200 if change else 410)


@login_required
@require_safe
def access_log(request: CustomerRequest) -> HttpResponse:
    """Who of our staff looked at your information, when and why."""
    customer = request.user
    looks = Paginator(Look.objects.visible_to(customer), 20).get_page(request.GET.get("page"))
    return render(request, "accounts/access_log.html", {"looks": looks})


class RemovePasskey(RemoveWebAuthnView):
    """allauth's page; our staff keep their last factor."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            passkey = get_object_or_404(self.get_queryset(), pk=kwargs["pk"])
            if not get_adapter().can_delete_authenticator(passkey):
                messages.warning(request, get_adapter().error_messages["cannot_delete_authenticator"])
                return redirect("mfa_index")
        return super().dispatch(request, *args, **kwargs)  # type: ignore[no-any-return]
