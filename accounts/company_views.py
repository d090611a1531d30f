"""Companies that you act for, and their people."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import flows
from accounts.acting import act_for
from accounts.forms import CompanyForm, InvitationForm, RoleForm
from accounts.models import Company, Customer, Invitation, Look, Membership
from accounts.models.company import LastOwner, Role
from accounts.requests import CustomerRequest

NEEDS_AN_OWNER = gettext_lazy("A company needs an owner. Please make somebody else an owner first.")


@login_required
@never_cache
@require_safe
def companies(request: CustomerRequest) -> HttpResponse:
    """For whom you can act, and for whom you act now."""
    memberships = Membership.objects.visible_to(request.user).select_related("company__customer")
    return render(request, "accounts/companies/companies.html", {"memberships": memberships})


@login_required
@require_POST
def switch(request: CustomerRequest) -> HttpResponse:
    """Act for a company, or for yourself when none is named."""
    ref, membership = request.POST.get("company"), None
    if ref:
        memberships = Membership.objects.visible_to(request.user).filter(company__customer__is_active=True)
        membership = get_object_or_404(memberships, company__customer__ref=ref)
    act_for(request, membership)
    return redirect("home")


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def company_new(request: CustomerRequest) -> HttpResponse:
    """Register a company; from then on you act for it, as its owner."""
    form = CompanyForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and (made := _register(request, form)):
        act_for(request, made.memberships.get())
        messages.success(request, _("The company is registered, and you act for it now."))
        return redirect(made)
    return render(request, "accounts/companies/edit.html", {"form": form})


def _register(request: CustomerRequest, form: CompanyForm) -> Company | None:
    try:
        return flows.register_company(person=request.user, details=form.cleaned_data)
    except IntegrityError:  # a colleague pressed at the same moment
        form.add_error("national_id", form.TAKEN)
        return None


@login_required
@never_cache
@require_safe
def company(request: CustomerRequest, ref: str) -> HttpResponse:
    """What we know about the company, and who acts for it."""
    row = _one(Company.objects.visible_to(request.user), ref)
    mine = row.memberships.get(person=request.user)
    facts = [(Customer.label(name), getattr(row, name)) for name in Company.PERSONAL]
    facts += [(Customer.label(name), getattr(row.customer, name)) for name in ("landline", "address", "postal_code")]
    context = {
        "company": row,
        "mine": mine,
        "is_owner": mine.role == Role.OWNER,
        "facts": facts,
        "members": row.memberships.select_related("person"),
        "looks": Look.objects.visible_to(row.customer)[:20] if mine.role == Role.OWNER else [],
    }
    return render(request, "accounts/companies/company.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def edit(request: CustomerRequest, ref: str) -> HttpResponse:
    row = _one(Company.objects.owned_by(request.user), ref)
    form = CompanyForm(request.POST or None, company=row)
    if request.method == "POST" and form.is_valid():
        flows.correct_company(company=row, details=form.cleaned_data)
        messages.success(request, _("The company's details are saved."))
        return redirect(row)
    return render(request, "accounts/companies/edit.html", {"form": form, "company": row})


@login_required
@reauthentication_required  # type: ignore[untyped-decorator]
@never_cache
@require_http_methods(["GET", "POST"])
def members(request: CustomerRequest, ref: str) -> HttpResponse:
    """Owners invite, change roles and end memberships here."""
    row = _one(Company.objects.owned_by(request.user), ref)
    form = InvitationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            flows.invite(company=row, by=request.user, **form.cleaned_data)
        except flows.CannotInvite as why:
            form.add_error("email", str(why))
        else:
            messages.success(request, _("The invitation is on its way. It is valid for seven days."))
            return redirect("company_members", ref)
    people = [
        (m, RoleForm(initial={"role": m.role}, auto_id=f"id_%s_{m.pk}"))
        for m in row.memberships.select_related("person")
    ]
    context = {"company": row, "form": form, "people": people, "invitations": row.invitations.open()}
    return render(request, "accounts/companies/members.html", context)


@login_required
@reauthentication_required  # type: ignore[untyped-decorator]
@require_POST
def member(request: CustomerRequest, ref: str, pk: int) -> HttpResponse:
    """Another role, or the end."""
    row = _one(Company.objects.owned_by(request.user), ref)
    membership = get_object_or_404(row.memberships.select_related("person", "company__customer"), pk=pk)
    form = RoleForm(request.POST)
    if form.is_valid():
        role = form.cleaned_data["role"]
        try:
            if role == "end":
                done = flows.end_membership(membership=membership)
            else:
                done = flows.change_role(membership=membership, role=role)
        except LastOwner:
            messages.warning(request, NEEDS_AN_OWNER)
        else:
            messages.success(request, _("Saved; both sides are told.") if done else _("It was so already."))
    still_owner = Company.objects.owned_by(request.user).filter(pk=row.pk).exists()
    return redirect("company_members", ref) if still_owner else redirect("companies")


@login_required
@require_POST
def leave(request: CustomerRequest, ref: str) -> HttpResponse:
    """Act for this company no more."""
    row = _one(Company.objects.visible_to(request.user), ref)
    try:
        flows.end_membership(
            membership=row.memberships.select_related("person", "company__customer").get(person=request.user)
        )
    except LastOwner:
        messages.warning(request, NEEDS_AN_OWNER)
        return redirect(row)
    messages.success(request, _("You no longer act for this company."))
    return redirect("companies")


@login_required
@require_POST
def withdraw(request: CustomerRequest, ref: str, pk: int) -> HttpResponse:
    row = _one(Company.objects.owned_by(request.user), ref)
    if get_object_or_404(row.invitations.all(), pk=pk).answer():
        messages.success(request, _("The invitation is withdrawn; its link no longer works."))
    return redirect("company_members", ref)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: CustomerRequest, token: str) -> HttpResponse:
    """Whoever was invited reads by whom and as what, and says yes or no. Opening the page says neither."""
    found = Invitation.objects.opened_by(token)
    if found is None or not flows.is_for(found, request.user):
        context = {"is_anothers": found is not None}
        return render(request, "accounts/companies/invitation.html", context, status=403 if found else 410)
    if request.method == "POST":
        return _answer(request, found)
    return render(request, "accounts/companies/invitation.html", {"invitation": found})


def _answer(request: CustomerRequest, found: Invitation) -> HttpResponse:
    if "accept" not in request.POST:
        found.answer()
        messages.success(request, _("You declined the invitation."))
        return redirect("companies")
    if flows.accept_invitation(invitation=found, person=request.user):
        act_for(request, Membership.objects.visible_to(request.user).get(company=found.company_id))
        messages.success(request, _("Welcome. You act for this company now."))
        return redirect("home")
    messages.warning(request, _("You are a member of this company already."))
    return redirect("companies")


def _one(rows: Any, ref: str) -> Company:
    """With its name; a stranger's is not found."""
    company: Company = get_object_or_404(rows.select_related("customer"), customer__ref=ref)
    return company
