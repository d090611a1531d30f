"""The photo of an ID card: handed in, looked at, decided."""

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from accounts.models import Customer, Look, PhotoId
from notifications.flows import tell


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


def look_at_photo(*, staff: Customer, photo: PhotoId, why: str) -> bytes:
    """Open a photo ID for review. The row that says so is written first."""
    with transaction.atomic():
        Look.objects.create(customer=photo.customer, staff=staff, fields=["photo_id"], why=why)
    return photo.picture()
