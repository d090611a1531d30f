"""The first member of staff is made at the console and can sign in."""

import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import Customer
from tests.base import show_second_factor

GIVEN = {"email": "Boss@example.com", "mobile": "0912 000 0099", "noinput": True}


@pytest.fixture
def password(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct-horse-battery")


@pytest.mark.parametrize("login", ["boss@example.com", "09120000099"])
def test_who_was_made_signs_in_and_enters_the_staff_screens(db, anyone, password, capsys, login):
    call_command("createsuperuser", **GIVEN, json=True)
    assert json.loads(capsys.readouterr().out)["ref"] == Customer.objects.get().ref
    anyone.post("/accounts/login/", {"login": login, "password": "correct-horse-battery"})
    assert anyone.get("/admin/", follow=True).redirect_chain[-1][0] == "/accounts/2fa/"  # to set up a second factor
    show_second_factor(anyone, Customer.objects.get())
    assert anyone.get("/admin/").status_code == 200


def test_twice_is_refused_in_one_line_and_makes_nobody(db, password):
    call_command("createsuperuser", **GIVEN)
    with pytest.raises(CommandError, match="already"):
        call_command("createsuperuser", **GIVEN)
    assert Customer.objects.count() == 1


@pytest.mark.parametrize("wrong", [{"email": "no address"}, {"mobile": "12"}, {"mobile": None}])
def test_bad_input_is_refused_in_one_line(db, password, wrong):
    with pytest.raises(CommandError):
        call_command("createsuperuser", **(GIVEN | wrong))
    assert not Customer.objects.exists()


def test_a_weak_password_is_refused(db, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "12345")
    with pytest.raises(CommandError):
        call_command("createsuperuser", **GIVEN)
