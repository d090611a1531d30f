"""The photo of an ID card: handed in, looked at, decided, asked for again, and forgotten."""

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Customer, Look, PhotoId
from accounts.photo import watermarked
from notifications.flows import tell
from portal import jalali

Status = PhotoId.Status


def submit_photo_id(*, customer: Customer, jpeg: bytes) -> PhotoId:
    """Hand in a photo; one that waits, was refused, ran out or is asked for again is replaced and its picture shredded.
    One that is approved stays. The file is written first: without its row nothing opens it, and a sweep removes it.
    """
    photo = PhotoId(customer=customer)
    photo.keep(jpeg)
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=customer.pk)  # two uploads at once take turns
        held = PhotoId.objects.visible_to(customer).exclude(status=Status.REPLACED).select_for_update()
        # A colleague may have approved one since the page was opened.
        if approved := next((old for old in held if old.status == Status.APPROVED), None):
            photo.lose()
            return approved
        for old in held:
            old.replace()
            old.shred()
        photo.save()
    return photo


def review_photo_id(
    *, photo: PhotoId, staff: Customer, approved: bool, reason: str = "", expires_on: dt.date | None = None
) -> bool:
    """Approve until a day, or refuse with a reason that the customer reads. False when it was decided so already."""
    until = expires_on or timezone.localdate() + dt.timedelta(days=settings.PHOTO_ID_VALID_DAYS)
    with transaction.atomic():
        changed = photo.approve(staff, until) if approved else photo.refuse(staff, reason)
        if changed:
            _tell(photo, "photo_id_approved" if approved else "photo_id_refused", reason)
    return changed


def ask_for_photo_id_again(*, photo: PhotoId, reason: str) -> bool:
    """Staff doubt an approved photo: the customer is asked for a new one."""
    with transaction.atomic():
        if changed := photo.ask_again(reason):
            _tell(photo, "photo_id_asked_again", reason)
    return changed


def tidy_photo_ids() -> tuple[int, int]:
    """End approvals whose day has passed, and shred pictures kept long enough: how many of each."""
    ended = shredded = 0
    for photo in PhotoId.objects.run_out().select_related("customer"):
        with transaction.atomic():
            if photo.expire():
                _tell(photo, "photo_id_expired", "")
                ended += 1
    for photo in PhotoId.objects.kept_long_enough():
        with transaction.atomic():
            photo.shred()
            shredded += 1
    return ended, shredded


def _tell(photo: PhotoId, message: str, reason: str) -> None:
    url = settings.SITE_URL + reverse("photo_id")
    tell(photo.customer, message, about=f"photo:{photo.pk}", context={"reason": reason, "url": url})


def look_at_photo(*, staff: Customer, photo: PhotoId, why: str) -> bytes:
    """Open a photo ID for review, marked with who looks and when. The row that says so is written first."""
    with transaction.atomic():
        look = Look.objects.create(customer=photo.customer, staff=staff, fields=["photo_id"], why=why)
    return watermarked(photo.picture(), f"{staff.ref} {look.at:%Y-%m-%d %H:%M} UTC {jalali.short_day(look.at)}")
