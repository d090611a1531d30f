"""Stories of a customer's identity: fill it in, prove it, look at it, change where we reach you."""

import datetime as dt
import secrets
from collections.abc import Iterable
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import Customer, Look, PhotoId
from notifications.flows import tell

UNFINISHED_AFTER = dt.timedelta(days=2)


def submit_photo_id(*, customer: Customer, jpeg: bytes) -> PhotoId:
    """Hand in a photo; one that still waits or was refused is replaced and its picture shredded. Approved is final."""
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=customer.pk)  # two uploads at once take turns
        held = PhotoId.objects.visible_to(customer).exclude(status=PhotoId.Status.REPLACED).select_for_update()
        # A colleague may have approved one since the page was opened.
        if approved := next((photo for photo in held if photo.status == PhotoId.Status.APPROVED), None):
            return approved
        for old in held:
            old.replace()
            old.shred()
        photo = PhotoId(customer=customer)
        photo.keep(jpeg)
    return photo


def review_photo_id(*, photo: PhotoId, staff: Customer, approved: bool, reason: str = "") -> bool:
    """Approve, or refuse with a reason that the customer reads. False when it was decided so already."""
    with transaction.atomic():
        changed = photo.approve(staff) if approved else photo.refuse(staff, reason)
        if changed:
            message = "photo_id_approved" if approved else "photo_id_refused"
            url = settings.SITE_URL + reverse("photo_id")
            tell(photo.customer, message, about=f"photo:{photo.pk}", context={"reason": reason, "url": url})
    return changed


def reveal(*, staff: Customer, customer: Customer, fields: Iterable[str], why: str) -> dict[str, Any]:
    """Open personal fields for a member of staff. The row that says so is written first."""
    names = [name for name in fields if name in Customer.PERSONAL]
    with transaction.atomic():
        Look.objects.create(customer=customer, staff=staff, fields=names, why=why)
    return {name: getattr(customer, name) for name in names}


def look_at_photo(*, staff: Customer, photo: PhotoId, why: str) -> bytes:
    """Open a photo ID for review. The row that says so is written first."""
    with transaction.atomic():
        Look.objects.create(customer=photo.customer, staff=staff, fields=["photo_id"], why=why)
    return photo.picture()


def tell_old_email(*, customer: Customer, old: str) -> None:
    """The address that no longer is the customer's hears of it, in case it was not her."""
    _tell_old(customer, "email", old)


def tell_old_mobile(*, customer: Customer, old: str) -> None:
    """The number that no longer is the customer's hears of it."""
    _tell_old(customer, "sms", old)


def _tell_old(customer: Customer, channel: str, old: str) -> None:
    with transaction.atomic():
        key = f"contact_changed:{secrets.token_hex(8)}"
        what = "email" if channel == "email" else "mobile"
        tell(customer, "contact_changed", about="account", context={"what": what}, key=key, to={channel: old})


def forget_unfinished() -> int:
    """Delete sign-ups never confirmed, so that nobody holds another's address by typing it. Returns how many."""
    return sum(
        1 for customer in _unfinished().filter(joined_at__lt=timezone.now() - UNFINISHED_AFTER) if customer.delete()
    )


def make_way(*, owner: Customer, email: str) -> None:
    """The owner proved this address: sign-ups that only typed it go, or they would stand in the way."""
    for customer in _unfinished().filter(email=email).exclude(pk=owner.pk):
        customer.delete()


def _unfinished() -> QuerySet[Customer]:
    """Nobody ever signed in to these, and the e-mail or the mobile was never confirmed: either may be another's."""
    proved = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    rows = Customer.objects.filter(last_login__isnull=True, is_staff=False, is_active=True)
    return rows.filter(Q(mobile_verified_at=None) | ~Exists(proved))  # type: ignore[no-any-return]
