"""A company becomes a customer; its people come, change their roles and go."""

import datetime as dt
import secrets
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Company, Customer, Invitation, Membership
from accounts.models.company import A_DAY_AT_MOST, INVITATION_LASTS, Role
from notifications.flows import tell
from portal.sealed.normal import n_text


class CannotInvite(Exception):
    """In the owner's words: why nobody was invited."""


def register_company(*, person: Customer, details: dict[str, Any]) -> Company:
    """A customer in whose name nobody signs in, with the person as its first owner. `details` are the form's fields."""
    with transaction.atomic():
        of_company = {name: details[name] for name in Company.PERSONAL}
        of_customer = {name: value for name, value in details.items() if name not in of_company}
        customer = Customer(kind=Customer.Kind.COMPANY, language=person.language, **of_customer)
        customer.set_unusable_password()
        customer.save()
        company: Company = Company.objects.create(customer=customer, **of_company)
        Membership.objects.create(company=company, person=person, role=Role.OWNER)
    return company


def correct_company(*, company: Company, details: dict[str, Any]) -> None:
    """What an owner wrote anew."""
    with transaction.atomic():
        for row, names in ((company, Company.PERSONAL), (company.customer, set(details) - set(Company.PERSONAL))):
            for name in names:
                setattr(row, name, details[name])
            row.save(update_fields=list(names))


def invite(*, company: Company, by: Customer, email: str, role: str) -> Invitation:
    """Write to somebody who may have no account yet. Raises CannotInvite."""
    if company.memberships.filter(person__in=Customer.objects.filter(email=email)).exists():
        raise CannotInvite(_("This person is a member already."))
    with transaction.atomic():
        Company.objects.select_for_update().only("pk").get(pk=company.pk)
        for old in company.invitations.filter(email=email, answered_at=None):
            old.answer() or Invitation.objects.filter(pk=old.pk).delete()  # a newer link replaces it
        if company.invitations.filter(at__gt=timezone.now() - dt.timedelta(days=1)).count() >= A_DAY_AT_MOST:
            raise CannotInvite(_("Twenty invitations were sent within a day. Please go on tomorrow."))
        invitation, token = Invitation.new(company=company, invited_by=by, email=email, role=role)
        tell(
            company.customer,
            "company_invitation",
            about="account",
            key=f"company_invitation:{invitation.pk}",
            context={
                "company": company.name,
                "role": role,
                "url": settings.SITE_URL + reverse("company_invitation", args=[token]),
            },
            expires_in=INVITATION_LASTS,
            to={"email": email},
        )
    return invitation


def forget_invitations() -> int:
    """Delete those whose link opens nothing any more, with the address that they were sent to. Returns how many."""
    day_ago = timezone.now() - dt.timedelta(days=1)  # younger ones count for how many a company may send
    gone, _each = Invitation.objects.exclude(pk__in=Invitation.objects.open()).filter(at__lt=day_ago).delete()
    return gone


def is_for(invitation: Invitation, person: Customer) -> bool:
    """Whether this person has the e-mail that was invited; signing in proves it."""
    return bool(person.email) and n_text(person.email) == n_text(invitation.email)


def accept_invitation(*, invitation: Invitation, person: Customer) -> bool:
    """False when the link was used up meanwhile, or is another's."""
    if not is_for(invitation, person):
        return False
    try:
        with transaction.atomic():
            if not invitation.answer():
                return False
            membership = Membership.objects.create(company=invitation.company, person=person, role=invitation.role)
            _tell_of(membership, "joined")
    except IntegrityError:  # a member already
        return False
    return True


def change_role(*, membership: Membership, role: str) -> bool:
    """Raises LastOwner."""
    with transaction.atomic():
        if changed := membership.change_role(role):
            membership.role = role
            _tell_of(membership, "role")
    return changed


def end_membership(*, membership: Membership) -> bool:
    """By an owner or by the person herself. Raises LastOwner."""
    with transaction.atomic():
        if ended := membership.end():
            _tell_of(membership, "left")
    return ended


def _tell_of(membership: Membership, what: str) -> None:
    """The company's owners and the person herself."""
    company, person = membership.company, membership.person
    token = secrets.token_hex(8)
    for reader in (company.customer, person):
        with translation.override(reader.language):
            words = {"company": company.name, "person": person.get_full_name() or person.ref, "what": what}
            words["role"] = str(Role(membership.role).label)
        key = f"company_member:{token}:{reader.pk}"
        tell(reader, "company_member", about="account", context=words, key=key)
