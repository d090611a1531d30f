"""What this room holds about a person, how it is handed over and how it goes."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.base_user import AbstractBaseUser

from accounts.models import Company, ContactChange, Customer, Invitation, Look, Membership, PhotoId, Suspension
from portal.privacy import Held

ACCOUNT = "until the account is closed"
KEPT = "until PHOTO_ID_KEPT_DAYS (30) days after the review; whether it was approved stays until the account is closed"
HOLDS = {
    "Customer.email": Held("to send you documents and to sign you in", ACCOUNT),
    "Customer.mobile": Held("to send you documents and codes, and to sign you in", ACCOUNT),
    "Customer.name": Held("to know with whom we have a contract", ACCOUNT),
    "Customer.surname": Held("to know with whom we have a contract", ACCOUNT),
    "Customer.gender": Held("to address you properly", ACCOUNT),
    "Customer.birth_date": Held("to tell people of the same name apart", ACCOUNT),
    "Customer.national_code": Held("the law asks providers of hosting to know their customers", ACCOUNT),
    "Customer.landline": Held("to call you in urgent cases", ACCOUNT),
    "Customer.address": Held("for invoices", ACCOUNT),
    "Customer.postal_code": Held("for invoices", ACCOUNT),
    "PhotoId.file_key": Held("opens the photo of your ID card, which proves who you are", KEPT),
    "PhotoId.reason": Held("tells you why a photo was refused", ACCOUNT),
    "ContactChange.old": Held("lets you take back a change that was not yours", "72 hours"),
    "Company.national_id": Held("the law asks providers of hosting to know their customers", ACCOUNT),
    "Company.registration_number": Held("to know with which company we have a contract", ACCOUNT),
    "Company.economic_code": Held("tax law asks for it on invoices", ACCOUNT),
    "Invitation.email": Held("to know who may accept an invitation", "7 days; a day if it is answered"),
    "Suspension.why": Held("tells you why your account was closed for a time", ACCOUNT),
    "Look.why": Held("tells you why our staff looked at your information", ACCOUNT),
}


def export(customer: Customer) -> dict[str, Any]:
    """Everything of this room, as plain values."""
    person = {name: str(getattr(customer, name) or "") for name in Customer.PERSONAL}
    addresses = EmailAddress.objects.filter(user=customer)
    photos = [
        {
            "at": p.submitted_at.isoformat(),
            "status": p.status,
            "reason": p.reason or "",
            "valid_until": p.expires_on.isoformat() if p.expires_on else "",
        }
        for p in PhotoId.objects.visible_to(customer)
    ]
    looks = [{"at": k.at.isoformat(), "fields": k.fields, "why": k.why} for k in Look.objects.visible_to(customer)]
    return {
        "profile": person,
        "emails": [{"email": a.email, "verified": a.verified} for a in addresses],
        "language": customer.language,
        "joined_at": customer.joined_at.isoformat(),
        "last_sign_in_at": customer.last_login.isoformat() if customer.last_login else "",
        "photo_ids": photos,
        "looks": looks,
        "company": _company(customer),
        "memberships": [
            {"company": m.company.name, "role": m.role, "since": m.joined_at.isoformat()}
            for m in Membership.objects.visible_to(customer).select_related("company__customer")
        ],
        "contact_changes": [
            {"at": c.at.isoformat(), "what": c.what, "before": c.old}
            for c in ContactChange.objects.filter(customer=customer)
        ],
        "suspensions": [
            {"at": s.at.isoformat(), "why": s.why, "lifted_at": s.lifted_at.isoformat() if s.lifted_at else ""}
            for s in Suspension.objects.filter(customer=customer)
        ],
        "second_factors": [
            {"type": a.type, "since": a.created_at.isoformat(), "name": a.data.get("name", "")}
            for a in Authenticator.objects.filter(user=customer)
        ],
    }


def _company(customer: Customer) -> dict[str, Any]:
    """What a company is besides a customer; nothing for a person."""
    company = Company.objects.filter(pk=customer.pk).first()
    if company is None:
        return {}
    details = {name: str(getattr(company, name) or "") for name in Company.PERSONAL}
    members = [{"role": m.role, "since": m.joined_at.isoformat()} for m in company.memberships.all()]
    return details | {"members": members}


def erase(customer: Customer) -> None:
    """Empty every personal column; the row stays as a reference for books that the law keeps."""
    for photo in PhotoId.objects.visible_to(customer):
        photo.shred()
    PhotoId.objects.visible_to(customer).filter(reason__isnull=False).delete()  # a reason may name things
    Look.objects.visible_to(customer).update(why="erased")
    Suspension.objects.filter(customer=customer).update(why="erased")
    Company.objects.filter(pk=customer.pk).delete()
    Membership.objects.visible_to(customer).delete()
    Invitation.objects.filter(email=customer.email).delete() if customer.email else None
    for rows in (ContactChange.objects.filter(customer=customer), EmailAddress.objects.filter(user=customer)):
        rows.delete()
    Authenticator.objects.filter(user=customer).delete()
    for name in Customer.PERSONAL:
        setattr(customer, name, None)
    customer.is_active = False
    AbstractBaseUser.set_unusable_password(customer)
    customer.save()
