"""Sign-up: both addresses proved, the policy accepted, and nothing said about who is a customer already."""

import re
import threading
import time
from datetime import timedelta
from unittest.mock import patch

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import signing
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.adapter import Adapter
from accounts.flows import forget_unfinished
from accounts.models import Customer
from notifications.models import Event
from policy.flows import publish
from policy.models import Version
from tests.base import PASSWORD, make_customer

NEW = {"email": "dana@example.com", "phone": "۰۹۱۲ ۱۱۱ ۷۷۷۷", "password1": "correct-horse-battery"}


@pytest.fixture
def dana(db: None, anyone: Client) -> dict[str, str]:
    """What a newcomer sends: the form's own hash of the policy included."""
    page = anyone.get("/accounts/signup/").content.decode()
    return NEW | {
        "policy": re.search(r'name="policy"[^>]*value="([0-9a-f]{64})"|value="([0-9a-f]{64})"', page)[0][-65:-1]
    }


def sign_up(client: Client, data: dict[str, str]) -> str:
    response = client.post("/accounts/signup/", data, follow=True)
    return response.redirect_chain[-1][0] if response.redirect_chain else ""


def newest(message: str) -> dict[str, str]:
    return Event.objects.filter(message=message).latest("at").context


def test_code_and_link_together_sign_in(anyone, dana):
    assert sign_up(anyone, dana) == "/accounts/phone/verify/"
    customer = Customer.objects.get(email="dana@example.com")
    assert customer.mobile == "+989121117777" and customer.language == "en" and customer.mobile_verified_at is None
    assert "_auth_user_id" not in anyone.session
    response = anyone.post(
        "/accounts/phone/verify/", {"action": "verify", "code": newest("phone_code")["code"]}, follow=True
    )
    assert response.redirect_chain[-1][0] == "/accounts/confirm-email/"
    assert "_auth_user_id" not in anyone.session
    path = newest("confirm_email")["url"].split("testserver")[-1]
    assert anyone.get(path).status_code == 200 and "_auth_user_id" not in anyone.session  # a GET changes nothing
    anyone.post(path)
    assert anyone.session["_auth_user_id"] == str(customer.pk)


def test_persian_digits_are_taken_as_code(anyone, dana):
    sign_up(anyone, dana)
    code = newest("phone_code")["code"].translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    anyone.post("/accounts/phone/verify/", {"action": "verify", "code": code})
    assert Customer.objects.get(email="dana@example.com").mobile_verified_at


@pytest.mark.parametrize("taken", [{"email": "Alice@example.com"}, {"phone": "0912 111 0001"}])
def test_a_taken_address_looks_the_same_and_its_owner_is_told(anyone, dana, alice, taken):
    other = Client(headers={"accept-language": "en"})
    fresh = other.post("/accounts/signup/", dana, follow=True)
    same = anyone.post(
        "/accounts/signup/", dana | {"email": "x@example.com", "phone": "09121118888"} | taken, follow=True
    )
    assert same.redirect_chain == fresh.redirect_chain

    def bare(response, typed):  # the page without its tokens and the number that was typed
        return re.sub(r'name="csrfmiddlewaretoken" value="\w+"|<bdi[^>]*>[^<]*</bdi>', "", response.content.decode())

    assert bare(same, taken) == bare(fresh, dana)
    assert Customer.objects.filter(email="x@example.com").count() == 0
    wrong = anyone.post("/accounts/phone/verify/", {"action": "verify", "code": "000000"})
    assert wrong.status_code == 200 and "not right" in wrong.content.decode()
    assert Event.objects.filter(message="account_exists", customer=alice).count() == 1


def test_five_wrong_codes_end_the_try_and_a_new_sign_in_sends_a_new_code(anyone, dana):
    sign_up(anyone, dana)
    code = newest("phone_code")["code"]
    wrong = "111111" if code != "111111" else "222222"
    for _ in range(4):
        assert anyone.post("/accounts/phone/verify/", {"action": "verify", "code": wrong}).status_code == 200
    last = anyone.post("/accounts/phone/verify/", {"action": "verify", "code": wrong}, follow=True)
    assert last.redirect_chain[-1][0] == "/accounts/login/" and "Too many wrong tries" in last.content.decode()
    late = anyone.post("/accounts/phone/verify/", {"action": "verify", "code": code}, follow=True)
    assert "_auth_user_id" not in anyone.session and late.redirect_chain
    assert Customer.objects.filter(email="dana@example.com").exists()  # nothing typed is lost
    credentials = {"login": "dana@example.com", "password": NEW["password1"]}
    hasty = anyone.post("/accounts/login/", credentials)  # a code a half-minute, for one number
    assert hasty.status_code == 429 and "One moment" in hasty.content.decode()
    cache.clear()
    again = anyone.post("/accounts/login/", credentials, follow=True)
    assert again.redirect_chain[-1][0] == "/accounts/phone/verify/"
    assert newest("phone_code")["code"] != code


def test_an_old_link_gets_a_clear_answer(anyone, dana):
    sign_up(anyone, dana)
    anyone.post("/accounts/phone/verify/", {"action": "verify", "code": newest("phone_code")["code"]})
    path = newest("confirm_email")["url"].split("testserver")[-1]
    now = time.time()
    with patch.object(signing.time, "time", lambda: now + 2 * 24 * 3600):
        page = anyone.get(path).content.decode()
    assert "This link no longer works" in page


def test_a_weak_password_and_a_wrong_mobile_are_answered_at_their_fields(anyone, dana):
    response = anyone.post("/accounts/signup/", dana | {"password1": "12345", "phone": "12"})
    assert {"password1", "phone"} <= set(response.context["form"].errors)
    assert "dana@example.com" in response.content.decode()


def test_without_the_policy_there_is_no_account(anyone, dana):
    response = anyone.post("/accounts/signup/", NEW)
    assert "policy" in response.context["form"].errors and not Customer.objects.exists()


@pytest.mark.parametrize("login", ["alice@example.com", "ALICE@example.com", "0912 111 0001", "۰۹۱۲۱۱۱۰۰۰۱"])
def test_sign_in_by_email_or_mobile(anyone, alice, login):
    response = anyone.post("/accounts/login/", {"login": login, "password": "correct-horse-battery"})
    assert response.status_code == 302 and anyone.session["_auth_user_id"] == str(alice.pk)


def test_a_wrong_password_says_nothing_about_the_account(anyone, alice):
    known = anyone.post("/accounts/login/", {"login": "alice@example.com", "password": "wrong-wrong"})
    unknown = anyone.post("/accounts/login/", {"login": "nobody@example.com", "password": "wrong-wrong"})
    assert str(known.context["form"].errors) == str(unknown.context["form"].errors)


def test_a_forgotten_password_is_reset_by_link_and_the_owner_is_told(anyone, alice):
    for address in ("alice@example.com", "nobody@example.com"):
        response = anyone.post("/accounts/password/reset/", {"email": address}, follow=True)
        assert response.redirect_chain[-1][0] == "/accounts/password/reset/done/"
    assert Event.objects.filter(message="password_reset").count() == 1
    path = newest("password_reset")["url"].split("testserver")[-1]
    form = anyone.get(path, follow=True)
    anyone.post(form.redirect_chain[-1][0], {"password1": "new-horse-battery", "password2": "new-horse-battery"})
    assert Customer.objects.get(pk=alice.pk).check_password("new-horse-battery")
    assert Event.objects.filter(message="password_changed", customer=alice).count() == 1


def hashed(act) -> int:
    """How many passwords were hashed meanwhile: it takes long enough to be measured from outside."""
    counted, encode = [], MD5PasswordHasher.encode

    def count(hasher, *args):
        counted.append(1)
        return encode(hasher, *args)

    with patch.object(MD5PasswordHasher, "encode", count):
        act()
    return len(counted)


def test_a_taken_address_takes_as_long(anyone, dana, alice):
    free = hashed(lambda: sign_up(anyone, dana))
    taken = hashed(lambda: sign_up(Client(), dana | {"email": "alice@example.com", "phone": "09121118888"}))
    assert free == taken == 1


@pytest.mark.parametrize(("known", "unknown"), [("alice@example.com", "n@example.com"), ("09121110001", "09121119999")])
def test_a_wrong_sign_in_takes_as_long(anyone, alice, known, unknown):
    tries = [{"login": login, "password": "wrong-wrong"} for login in (known, unknown)]
    assert [hashed(lambda data=data: anyone.post("/accounts/login/", data)) for data in tries] == [1, 1]


def typed_only(**fields: object) -> Customer:
    """A sign-up with somebody's e-mail that was never confirmed."""
    customer = Customer.objects.create_user(
        email="new@example.com", password=PASSWORD, mobile="+989121110055", **fields
    )
    EmailAddress.objects.create(user=customer, email="new@example.com", primary=True)
    return customer


@pytest.mark.parametrize("has_proved_the_mobile", [False, True])
def test_nobody_holds_anothers_address_by_typing_it(db, has_proved_the_mobile):
    long_ago = timezone.now() - timedelta(days=3)
    typed_only(joined_at=long_ago, mobile_verified_at=long_ago if has_proved_the_mobile else None)
    kept = make_customer("alice@example.com", "+989121110001", joined_at=long_ago)
    assert forget_unfinished() == 1 and Customer.objects.get() == kept


def test_the_owner_of_an_address_takes_it_from_who_only_typed_it(anyone, alice):
    typed_only()
    anyone.post("/accounts/login/", {"login": "alice@example.com", "password": PASSWORD})
    anyone.post("/accounts/reauthenticate/", {"password": PASSWORD})
    anyone.post("/accounts/email/", {"action_add": "", "email": "new@example.com"})
    assert anyone.post(newest("confirm_email")["url"].split("testserver")[-1]).status_code == 302
    assert Customer.objects.get(email="new@example.com") == alice


def test_the_owner_of_an_address_takes_it_from_no_other_customer(anyone, alice, bob):
    anyone.post("/accounts/login/", {"login": "alice@example.com", "password": PASSWORD})
    anyone.post("/accounts/reauthenticate/", {"password": PASSWORD})
    anyone.post("/accounts/email/", {"action_add": "", "email": "bob@example.com"})
    anyone.post(newest("confirm_email")["url"].split("testserver")[-1])
    assert Customer.objects.get(email="bob@example.com") == bob
    assert Customer.objects.get(email="alice@example.com") == alice


def test_asking_for_other_steps_tells_nothing_of_a_taken_address(anyone, dana, alice):
    other = Client(headers={"accept-language": "en"})
    sign_up(other, dana)
    sign_up(anyone, dana | {"email": "alice@example.com", "phone": "09121118888"})
    asked = ({"action": "change", "phone": "09121119999"}, {"action": "resend"}, {"action": "verify", "code": "-"})
    for step in asked:
        fresh, same = (client.post("/accounts/phone/verify/", step, follow=True) for client in (other, anyone))
        assert (fresh.status_code, fresh.redirect_chain) == (same.status_code, same.redirect_chain), step


def test_two_sign_ups_at_the_same_moment_are_one_account(transactional_db, anyone):
    if Version.objects.in_force("en") is None:  # a test that commits ends with empty tables
        publish(body="# Privacy Policy\n\nWords.\n", locale="en", effective_from=timezone.localdate())
    page = anyone.get("/accounts/signup/").content.decode()
    data = NEW | {"policy": re.search(r'value="([0-9a-f]{64})"', page)[1]}
    both, answers, new_user = threading.Barrier(2, timeout=10), [], Adapter.new_user

    def together(adapter, request):  # both were found free of any fault, neither is written yet
        both.wait()
        return new_user(adapter, request)

    def press() -> None:
        answers.append(Client(raise_request_exception=False).post("/accounts/signup/", data).status_code)
        connection.close()

    with patch.object(Adapter, "new_user", together):
        presses = [threading.Thread(target=press) for _ in range(2)]
        for thread in presses:
            thread.start()
        for thread in presses:
            thread.join()
    # One number gets one code a half-minute, so one of the two is asked to wait.
    assert sorted(answers) == [302, 429] and Customer.objects.count() == 1


def test_a_phone_gets_no_more_than_a_few_codes_a_day(anyone, dana):
    sign_up(anyone, dana)
    now, credentials = time.time(), {"login": "dana@example.com", "password": NEW["password1"]}
    for half_minute in range(1, 20):
        with patch("allauth.core.internal.ratelimit.time.time", lambda later=now + 31 * half_minute: later):
            last = Client().post("/accounts/login/", credentials)
    assert Event.objects.filter(message="phone_code").count() == 12 and last.status_code == 429
