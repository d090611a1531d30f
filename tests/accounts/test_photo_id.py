"""The photo of an ID card: handed in, reviewed with a reason, and seen by nobody else."""

import io

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.flows import review_photo_id, submit_photo_id
from accounts.models import Look, PhotoId
from notifications.models import Event


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
