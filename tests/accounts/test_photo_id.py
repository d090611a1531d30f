"""The photo of an ID card: handed in, reviewed with a reason, and seen by nobody else."""

import datetime as dt
import io
import os
import re
from base64 import b64decode

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone
from PIL import Image

from accounts.flows import (
    ask_for_photo_id_again,
    look_at_photo,
    review_photo_id,
    submit_photo_id,
    tidy_photo_ids,
)
from accounts.models import Look, PhotoId
from accounts.photo import watermarked
from notifications.models import Event
from portal import jalali
from portal.sealed import files
from portal.tasks import shred_orphans
from tests.base import make_customer

DAY = dt.timedelta(days=1)


def jpeg(color: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (320, 200), color).save(out, "JPEG")
    return out.getvalue()


def upload(raw: bytes, name: str = "card.jpg", kind: str = "image/jpeg") -> dict:
    return {"photo": SimpleUploadedFile(name, raw, kind)}


def test_it_is_stored_encrypted_and_waits_for_review(alice_client, alice):
    assert alice_client.post("/profile/photo-id/", upload(jpeg())).status_code == 302
    photo = PhotoId.objects.get(customer=alice)
    assert photo.status == PhotoId.Status.WAITING and "card" not in photo.file
    with default_storage.open(photo.file) as file:
        assert b"JFIF" not in file.read()
    assert Image.open(io.BytesIO(photo.picture())).size == (320, 200)


@pytest.mark.parametrize(
    ("raw", "name", "words"),
    [
        (b"\xff\xd8" + b"x" * (12 * 1024 * 1024), "big.jpg", "larger than 10 MB"),
        (b"\xff\xd8" + b"x" * (10 * 1024 * 1024), "just-over.jpg", "larger than 10 MB"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "card.svg", "not a JPEG"),
        (b"%PDF-1.7", "card.pdf", "not a JPEG"),
        (b"PK\x03\x04", "card.zip", "not a JPEG"),
    ],
)
def test_what_is_no_photo_gets_a_clear_answer(alice_client, alice, raw, name, words):
    response = alice_client.post("/profile/photo-id/", upload(raw, name))
    assert response.status_code == 200 and words in str(response.context["form"].errors)
    assert not PhotoId.objects.exists()


def test_it_needs_sign_in(db, anyone):
    assert anyone.post("/profile/photo-id/", upload(jpeg())).status_code == 302
    assert not PhotoId.objects.exists()


def test_a_second_photo_replaces_the_first_and_its_file_is_gone(
    alice_client, alice, django_capture_on_commit_callbacks
):
    alice_client.post("/profile/photo-id/", upload(jpeg()))
    first = PhotoId.objects.get(customer=alice).file
    with django_capture_on_commit_callbacks(execute=True):
        alice_client.post("/profile/photo-id/", upload(jpeg("blue")))
    assert PhotoId.objects.filter(status="waiting").count() == 1 and not default_storage.exists(first)


def test_staff_see_the_picture_only_with_a_reason_and_the_customer_reads_it(carol_client, alice, alice_client):
    photo = submit_photo_id(customer=alice, jpeg=jpeg())
    url = f"/admin/accounts/photoid/{photo.pk}/review/"
    assert "base64" not in carol_client.get(url).content.decode() and not Look.objects.exists()
    assert "base64" not in carol_client.post(url, {"why": ""}).content.decode()
    shown = carol_client.post(url, {"why": "review of a new customer"})
    assert "data:image/jpeg;base64," in shown.content.decode() and "no-store" in shown.headers["Cache-Control"]
    assert "review of a new customer" in alice_client.get("/profile/access-log/").content.decode()


def test_a_refusal_needs_a_reason_that_the_customer_reads(carol_client, alice, alice_client):
    photo = submit_photo_id(customer=alice, jpeg=jpeg())
    url = f"/admin/accounts/photoid/{photo.pk}/review/"
    carol_client.post(url, {"refuse": "", "reason": ""})
    assert PhotoId.objects.get().status == PhotoId.Status.WAITING
    carol_client.post(url, {"refuse": "", "reason": "The number is blurred."})
    assert "The number is blurred." in alice_client.get("/profile/photo-id/").content.decode()
    assert Event.objects.filter(customer=alice, message="photo_id_refused").count() == 1


def test_twice_is_once_and_the_other_decision_is_refused(alice, carol):
    photo = submit_photo_id(customer=alice, jpeg=jpeg())
    assert review_photo_id(photo=photo, staff=carol, approved=True)
    assert not review_photo_id(photo=photo, staff=carol, approved=True)
    with pytest.raises(ValueError, match="not allowed"):
        review_photo_id(photo=photo, staff=carol, approved=False, reason="late")
    assert Event.objects.filter(message="photo_id_approved").count() == 1


def test_customers_cannot_enter_the_review(bob_client, alice):
    photo = submit_photo_id(customer=alice, jpeg=jpeg())
    response = bob_client.post(f"/admin/accounts/photoid/{photo.pk}/review/", {"why": "curious"})
    assert response.status_code == 302 and not Look.objects.exists()


def test_an_approved_photo_is_final_even_for_a_page_opened_before(alice, carol):
    photo = submit_photo_id(customer=alice, jpeg=jpeg())
    review_photo_id(photo=photo, staff=carol, approved=True)
    assert submit_photo_id(customer=alice, jpeg=jpeg("blue")) == photo
    assert PhotoId.objects.get().status == PhotoId.Status.APPROVED


def picture(page: bytes) -> Image.Image:
    return Image.open(io.BytesIO(b64decode(re.search(rb"data:image/jpeg;base64,([^\"]+)", page)[1])))


def test_the_picture_is_marked_with_who_looks_and_when_and_the_file_is_not(alice, carol):
    photo = submit_photo_id(customer=alice, jpeg=jpeg())
    dave = make_customer("dave@example.com", "+989121110004", is_staff=True)
    seen = [look_at_photo(staff=staff, photo=photo, why="review") for staff in (carol, dave)]
    assert seen[0] != seen[1] and photo.picture() == jpeg()
    look = Look.objects.filter(staff=carol).get()
    words = f"{carol.ref} {look.at:%Y-%m-%d %H:%M} UTC"
    assert seen[0] == watermarked(jpeg(), f"{words} {jalali.short_day(look.at)}")


def test_the_page_with_the_picture_is_kept_nowhere(carol_client, alice):
    photo = submit_photo_id(customer=alice, jpeg=jpeg())
    shown = carol_client.post(f"/admin/accounts/photoid/{photo.pk}/review/", {"why": "review of a new customer"})
    assert picture(shown.content).size == (320, 200)
    assert {"no-store", "private"} <= set(shown.headers["Cache-Control"].split(", "))
    assert shown.headers["X-Content-Type-Options"] == "nosniff"


def test_a_usual_reason_is_read_in_the_customers_language(carol_client, bob, bob_client):
    photo = submit_photo_id(customer=bob, jpeg=jpeg())
    url = f"/admin/accounts/photoid/{photo.pk}/review/"
    assert "choose a reason" in carol_client.post(url, {"refuse": "", "usual": "", "reason": ""}).content.decode()
    carol_client.post(url, {"refuse": "", "usual": "1", "reason": "Thanks."})
    photo.refresh_from_db()
    assert photo.reason.endswith("Thanks.") and "گوشه" in photo.reason


def test_an_approval_lasts_until_the_day_on_the_card(carol_client, alice, alice_client):
    photo = submit_photo_id(customer=alice, jpeg=jpeg())
    url = f"/admin/accounts/photoid/{photo.pk}/review/"
    assert "no longer valid" in carol_client.post(url, {"approve": "", "expires_on": "1399/01/01"}).content.decode()
    carol_client.post(url, {"approve": "", "expires_on": "۱۴۱۰/۰۱/۱۵"})
    photo.refresh_from_db()
    assert photo.status == "approved" and photo.expires_on == dt.date(2031, 4, 4)
    assert "2031" in alice_client.get("/profile/photo-id/").content.decode()


def test_without_a_day_an_approval_lasts_as_long_as_the_setting_says(alice, carol, settings):
    settings.PHOTO_ID_VALID_DAYS = 10
    photo = submit_photo_id(customer=alice, jpeg=jpeg())
    review_photo_id(photo=photo, staff=carol, approved=True)
    assert photo.expires_on == timezone.localdate() + 10 * DAY


def approved(customer, staff, **fields):
    photo = submit_photo_id(customer=customer, jpeg=jpeg())
    review_photo_id(photo=photo, staff=staff, approved=True)
    PhotoId.objects.filter(pk=photo.pk).update(**fields)
    photo.refresh_from_db()
    return photo


def test_an_approval_ends_with_its_day_and_a_new_photo_can_be_sent(alice, carol, alice_client):
    photo = approved(alice, carol, expires_on=timezone.localdate())
    assert tidy_photo_ids() == (0, 0)  # the last day still counts
    PhotoId.objects.filter(pk=photo.pk).update(expires_on=timezone.localdate() - DAY)
    assert tidy_photo_ids() == (1, 0) and tidy_photo_ids() == (0, 0)
    assert Event.objects.filter(customer=alice, message="photo_id_expired").count() == 1
    assert "no longer valid" in alice_client.get("/profile/photo-id/").content.decode()
    alice_client.post("/profile/photo-id/", upload(jpeg("blue")))
    assert set(PhotoId.objects.values_list("status", flat=True)) == {"replaced", "waiting"}


def test_staff_ask_for_a_new_photo_with_a_reason(carol_client, alice, carol, alice_client):
    photo = approved(alice, carol)
    url = f"/admin/accounts/photoid/{photo.pk}/again/"
    carol_client.post(url, {"usual": "", "reason": ""})
    assert PhotoId.objects.get().status == "approved"
    carol_client.post(url, {"usual": "", "reason": "Your name has changed."})
    assert Event.objects.filter(customer=alice, message="photo_id_asked_again").count() == 1
    page = alice_client.get("/profile/photo-id/").content.decode()
    assert "Your name has changed." in page and 'type="file"' in page
    assert carol_client.post(url, {"reason": "Again, please"}).status_code == 404
    assert not ask_for_photo_id_again(photo=PhotoId.objects.get(), reason="twice")


def test_the_picture_goes_when_its_time_is_over_and_the_outcome_stays(
    alice, carol, alice_client, settings, django_capture_on_commit_callbacks
):
    settings.PHOTO_ID_KEPT_DAYS = 7
    photo = approved(alice, carol, reviewed_at=timezone.now() - 6 * DAY)
    assert tidy_photo_ids() == (0, 0)
    assert "then destroy it" in alice_client.get("/profile/photo-id/").content.decode()
    name = photo.file
    PhotoId.objects.filter(pk=photo.pk).update(reviewed_at=timezone.now() - 8 * DAY)
    with django_capture_on_commit_callbacks(execute=True):
        assert tidy_photo_ids() == (0, 1)
    assert tidy_photo_ids() == (0, 0) and not default_storage.exists(name)
    photo.refresh_from_db()
    assert (photo.status, photo.file, photo.file_key) == ("approved", "", None)
    page = alice_client.get("/profile/photo-id/").content.decode()
    assert "has been destroyed" in page and "Approved" in page


def test_a_refused_picture_goes_too(alice, carol):
    photo = submit_photo_id(customer=alice, jpeg=jpeg())
    review_photo_id(photo=photo, staff=carol, approved=False, reason="blurred")
    PhotoId.objects.filter(pk=photo.pk).update(reviewed_at=timezone.now() - 31 * DAY)
    assert tidy_photo_ids() == (0, 1)


def test_nobody_reviews_their_own_photo(carol, carol_client):
    photo = submit_photo_id(customer=carol, jpeg=jpeg())
    assert carol_client.post(f"/admin/accounts/photoid/{photo.pk}/review/", {"approve": ""}).status_code == 403
    with pytest.raises(ValueError, match="their own"):
        review_photo_id(photo=photo, staff=carol, approved=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        PhotoId.objects.filter(pk=photo.pk).update(reviewed_by=carol)


def test_the_queue_shows_who_waits_longest_first(carol_client, alice, bob, carol):
    approved(carol, alice, submitted_at=timezone.now() - 9 * DAY)
    submit_photo_id(customer=alice, jpeg=jpeg())
    PhotoId.objects.filter(pk=submit_photo_id(customer=bob, jpeg=jpeg()).pk).update(
        submitted_at=timezone.now() - 3 * DAY
    )
    page = carol_client.get("/admin/accounts/photoid/").content.decode()
    assert "2 photos wait · 3" in page and page.index(bob.ref) < page.index(alice.ref) < page.rindex(carol.ref)


def test_a_file_without_a_row_is_shredded_by_the_next_day(alice):
    kept = submit_photo_id(customer=alice, jpeg=jpeg()).file
    lost = files.put(b"its transaction was rolled back", aad=b"x").name
    shred_orphans()
    assert default_storage.exists(lost), "it may be on its way into a row"
    for name in (kept, lost):
        os.utime(default_storage.path(name), (0, 0))
    shred_orphans()
    assert default_storage.exists(kept) and not default_storage.exists(lost)
