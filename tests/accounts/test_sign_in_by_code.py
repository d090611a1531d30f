"""A code instead of a password, by e-mail or SMS."""

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client

from notifications.models import Delivery, Event
from tests.base import SEED

ASK, CODE = "/accounts/login/code/", "/accounts/login/code/confirm/"
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def newest_code() -> str:
    return Event.objects.filter(message__in=["login_code", "phone_code"]).latest("at").context["code"]


@pytest.fixture(autouse=True)
def fresh_limits(db):
    cache.clear()


@pytest.mark.parametrize(
    ("login", "channel", "to"),
    [
        ("alice@example.com", "email", "alice@example.com"),
        ("ALICE@example.com ", "email", "alice@example.com"),
        ("۰۹۱۲ ۱۱۱ ۰۰۰۱", "sms", "+989121110001"),
        ("+98 912 111 0001", "sms", "+989121110001"),
    ],
)
def test_a_code_opens_the_account(anyone, alice, login, channel, to):
    page = anyone.post(ASK, {"login": login}, follow=True)
    assert page.redirect_chain[-1][0] == CODE
    sent = Delivery.objects.get()
    assert (sent.channel, sent.recipient.lower()) == (channel, to)
    anyone.post(CODE, {"action": "verify", "code": newest_code().translate(PERSIAN)})
    assert anyone.session["_auth_user_id"] == str(alice.pk)


def test_a_wrong_code_opens_nothing_and_three_end_it(anyone, alice):
    anyone.post(ASK, {"login": "alice@example.com"})
    right = newest_code()
    wrong = "000000" if right != "000000" else "111111"
    assert "This code is not right" in anyone.post(CODE, {"action": "verify", "code": wrong}).content.decode()
    for _ in range(2):
        last = anyone.post(CODE, {"action": "verify", "code": wrong}, follow=True)
    assert last.redirect_chain[-1][0] == ASK and "Too many wrong tries" in last.content.decode()
    anyone.post(CODE, {"action": "verify", "code": right})
    assert "_auth_user_id" not in anyone.session


def test_a_code_is_asked_for_once_a_half_minute(anyone, alice):
    anyone.post(ASK, {"login": "alice@example.com"})
    again = Client(headers={"accept-language": "en"}).post(ASK, {"login": "alice@example.com"})
    assert "Too many" in again.content.decode() and Event.objects.filter(message="login_code").count() == 1


def test_a_new_code_replaces_the_old_one(anyone, alice):
    anyone.post(ASK, {"login": "alice@example.com"})
    old = newest_code()
    anyone.post(CODE, {"action": "resend"})
    assert Event.objects.filter(message="login_code").count() == 2
    if newest_code() != old:
        anyone.post(CODE, {"action": "verify", "code": old})
        assert "_auth_user_id" not in anyone.session
    anyone.post(CODE, {"action": "verify", "code": newest_code()})
    assert anyone.session["_auth_user_id"] == str(alice.pk)


def test_a_code_is_no_way_around_the_second_factor(anyone, alice):
    Authenticator.objects.create(user=alice, type="totp", data={"secret": SEED})
    anyone.post(ASK, {"login": "alice@example.com"})
    answer = anyone.post(CODE, {"action": "verify", "code": newest_code()}, follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/2fa/authenticate/" and "_auth_user_id" not in anyone.session


@pytest.mark.parametrize("login", ["", "not a number", "a@", "0912"])
def test_what_is_neither_email_nor_mobile_is_answered_at_its_field(anyone, login):
    page = anyone.post(ASK, {"login": login})
    assert page.status_code == 200 and "login" in page.context["form"].errors
    assert login in page.content.decode(), "nothing typed is lost"


def test_another_address_can_be_given(anyone, alice):
    """While a code is waited for, the pages of sign-in lead back to it; this is the way out."""
    anyone.post(ASK, {"login": "alice@exmaple.com"})
    assert anyone.get(ASK).headers["Location"].startswith(CODE)
    assert anyone.post("/accounts/logout/", {"next": ASK}, follow=True).redirect_chain[-1] == (ASK, 302)
    assert anyone.get(ASK).status_code == 200


def test_a_stranger_gets_nothing_from_us(anyone, db):
    assert anyone.post(ASK, {"login": "nobody@example.com"}, follow=True).status_code == 200
    assert not Event.objects.exists()
