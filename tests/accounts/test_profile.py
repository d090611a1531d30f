"""The profile: filled in, corrected, and seen by its owner alone."""

import datetime as dt

import pytest

from accounts.models import Customer

GOOD = {
    "name": "آليس",
    "surname": "كاشانی",
    "gender": "woman",
    "birth_date": "۱۳۷۰/۰۵/۱۴",
    "national_code": "۰۰۸۴۵۷۵۹۴۸",
    "landline": "021 8877 6655",
    "address": "تهران، خیابان یاقوت، پلاک ۷",
    "postal_code": "16197-35744",
    "language": "fa",
}


def test_it_works_with_persian_digits_and_a_jalali_birthday(alice_client, alice):
    response = alice_client.post("/profile/edit/", GOOD)
    assert response.status_code == 302 and response.headers["Location"] == "/profile/"
    saved = Customer.objects.get(pk=alice.pk)
    assert (saved.name, saved.surname) == ("آلیس", "کاشانی")
    assert saved.birth_date == dt.date(1991, 8, 5)
    assert (saved.national_code, saved.postal_code, saved.landline) == ("0084575948", "1619735744", "+982188776655")
    assert saved.is_profile_complete
    page = alice_client.get("/profile/").content.decode()
    assert "0084575948" in page and "آلیس" in page


def test_a_birthday_is_shown_in_the_pages_calendar(alice_client, alice):
    alice_client.post("/profile/edit/", GOOD)
    assert 'value="1991-08-05"' in alice_client.get("/profile/edit/").content.decode()
    page = alice_client.get("/profile/edit/", headers={"accept-language": "fa"}).content.decode()
    assert 'value="1370/05/14"' in page


def test_a_gregorian_birthday_is_the_same_day(alice_client, alice):
    alice_client.post("/profile/edit/", GOOD | {"birth_date": "1991-08-05"})
    assert Customer.objects.get(pk=alice.pk).birth_date == dt.date(1991, 8, 5)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("national_code", "0084575947"),
        ("national_code", "1111111111"),
        ("birth_date", "1370/13/01"),
        ("birth_date", "2099-01-01"),
        ("birth_date", "tomorrow"),
        ("postal_code", "0619735744"),
        ("landline", "12"),
        ("name", ""),
        ("name", "x" * 81),
        ("address", GOOD["address"] * 20),
    ],
)
def test_bad_input_is_answered_at_its_field_and_nothing_is_lost(alice_client, alice, field, value):
    response = alice_client.post("/profile/edit/", GOOD | {field: value})
    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]
    assert "تهران، خیابان یاقوت، پلاک ۷" in response.content.decode()
    assert Customer.objects.get(pk=alice.pk).national_code is None


def test_a_national_code_belongs_to_one_customer(alice_client, bob_client):
    alice_client.post("/profile/edit/", GOOD)
    response = bob_client.post("/profile/edit/", GOOD)
    assert list(response.context["form"].errors) == ["national_code"]


def test_it_needs_sign_in(anyone, db):
    assert anyone.get("/profile/").status_code == 302
    assert anyone.post("/profile/edit/", GOOD).status_code == 302


def test_saving_twice_is_once(alice_client, alice):
    for _ in range(2):
        assert alice_client.post("/profile/edit/", GOOD).status_code == 302
    assert Customer.objects.filter(national_code="0084575948").count() == 1


def test_next_brings_back_but_never_to_another_site(alice_client):
    assert alice_client.post("/profile/edit/", GOOD | {"next": "/catalogue/x/"}).headers["Location"] == "/catalogue/x/"
    away = alice_client.post("/profile/edit/", GOOD | {"next": "https://evil.example/"})
    assert away.headers["Location"] == "/profile/"


def test_email_and_mobile_cannot_be_changed_here(alice_client, alice):
    alice_client.post("/profile/edit/", GOOD | {"email": "evil@example.com", "mobile": "09120000000", "is_staff": "on"})
    saved = Customer.objects.get(pk=alice.pk)
    assert (saved.email, saved.is_staff) == ("alice@example.com", False)
