"""Staff without every right: each screen asks for the right to what it does."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.flows import submit_photo_id
from accounts.models import Look, PhotoId
from tests.accounts.test_photo_id import jpeg
from tests.base import PASSWORD, make_customer, show_second_factor


@pytest.fixture
def staff(db):
    """A client of a member of staff who holds exactly these rights of this room."""

    def sign_in(*rights: str) -> Client:
        dave = make_customer("dave@example.com", "+989121110004", language="en", is_staff=True)
        dave.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts", codename__in=rights))
        client = Client(headers={"accept-language": "en"})
        client.force_login(dave)
        show_second_factor(client, dave)
        return client

    return sign_in


def test_without_the_right_nobody_learns_whose_an_address_is(staff, alice):
    client = staff()
    for what in ("alice@example.com", "nobody@example.com"):
        assert client.post("/admin/accounts/customer/find/", {"what": what}).status_code == 403


def test_without_the_right_nothing_is_revealed(staff, alice):
    assert staff().post(f"/admin/accounts/customer/{alice.pk}/reveal/", {"why": "out of interest"}).status_code == 403
    assert not Look.objects.exists()


def test_who_may_look_at_a_photo_may_not_yet_decide(staff, alice):
    photo = submit_photo_id(customer=alice, jpeg=jpeg())
    client, url = staff("view_photoid"), f"/admin/accounts/photoid/{photo.pk}/review/"
    page = client.post(url, {"why": "asked by a colleague"}).content.decode()
    assert "base64" in page and 'name="approve"' not in page
    for decision in ({"approve": ""}, {"refuse": "", "reason": "I may not say this"}):
        assert client.post(url, decision).status_code == 403
    assert PhotoId.objects.get().status == PhotoId.Status.WAITING


def test_a_reviewer_decides(staff, alice):
    photo = submit_photo_id(customer=alice, jpeg=jpeg())
    client, url = staff("view_photoid", "change_photoid"), f"/admin/accounts/photoid/{photo.pk}/review/"
    assert 'name="approve"' in client.post(url, {"why": "review of a new customer"}).content.decode()
    assert client.post(url, {"approve": ""}).status_code == 302
    assert PhotoId.objects.get().status == PhotoId.Status.APPROVED


def test_a_shredded_photo_is_not_found_and_no_look_is_written_down(carol_client, alice):
    old = submit_photo_id(customer=alice, jpeg=jpeg())
    submit_photo_id(customer=alice, jpeg=jpeg("blue"))
    assert carol_client.post(f"/admin/accounts/photoid/{old.pk}/review/", {"why": "too late"}).status_code == 404
    assert not Look.objects.exists()


def test_the_staff_screens_turn_a_customer_away_for_good(alice_client):
    assert alice_client.get("/admin/", follow=True).status_code == 403


def test_staff_change_their_password_where_the_owner_is_told(carol_client, anyone):
    new = {"old_password": PASSWORD, "new_password1": "new-horse-battery", "new_password2": "new-horse-battery"}
    response = carol_client.post("/admin/password_change/", new)
    assert (response.status_code, response.headers["Location"]) == (302, "/accounts/password/change/")
    assert "/accounts/login/" in anyone.get("/admin/password_change/").headers["Location"]


@pytest.mark.parametrize("number", ["abc", "0", "9" * 30])
def test_a_ticket_that_never_was_is_not_found(carol_client, number):
    assert carol_client.get(f"/admin/notifications/ticket/{number}/change/").status_code == 404
