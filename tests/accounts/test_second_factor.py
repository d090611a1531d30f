"""A second factor: set up, asked for, taken away; staff cannot do without."""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from notifications.models import Event
from portal.sealed.fields import CannotOpen
from tests.base import PASSWORD, SEED, app_code, make_customer, show_second_factor

SIGN_IN, CODE = "/accounts/login/", "/accounts/2fa/authenticate/"


@pytest.fixture
def proved(alice_client):
    """Alice, who has just typed her password once more."""
    alice_client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return alice_client


@pytest.fixture
def guarded(alice):
    """Alice's account with an app and recovery codes."""
    Authenticator.objects.create(user=alice, type="totp", data={"secret": SEED})
    Authenticator.objects.create(user=alice, type="recovery_codes", data={"seed": "a" * 80, "used_mask": 0})
    return alice


def raw_data(customer) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator WHERE user_id = %s", [customer.pk])
        return "\n".join(data for (data,) in cursor.fetchall())


def password_typed(client: Client):
    return client.post(SIGN_IN, {"login": "alice@example.com", "password": PASSWORD}, follow=True)


def told(customer) -> list[str]:
    return [e.context["what"] for e in Event.objects.filter(customer=customer, message="second_factor").order_by("at")]


def test_an_app_is_set_up_with_the_key_that_the_page_shows(proved, alice, anyone, django_capture_on_commit_callbacks):
    page = proved.get("/accounts/2fa/totp/activate/").content.decode()
    seed = re.search(r'class="secret">([A-Z2-7]{32})<', page)[1]
    assert "<svg" in page and " style=" not in page and "data:" not in page and "alice@" not in page
    assert f"secret={seed}" in page and alice.ref in page
    code = app_code(seed).translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    with django_capture_on_commit_callbacks(execute=True):
        response = proved.post("/accounts/2fa/totp/activate/", {"code": code}, follow=True)
    assert response.redirect_chain[-1][0] == "/accounts/2fa/recovery-codes/"
    assert len(re.findall(r"<li>\d{8}</li>", response.content.decode())) == 10
    assert told(alice) == ["totp_activated"]
    assert seed not in raw_data(alice) and "secret" not in raw_data(alice)
    assert password_typed(anyone).redirect_chain[-1][0] == CODE
    assert "_auth_user_id" not in anyone.session


def test_a_wrong_code_at_set_up_gets_a_clear_answer(proved, alice):
    proved.get("/accounts/2fa/totp/activate/")
    page = proved.post("/accounts/2fa/totp/activate/", {"code": "000000"}).content.decode()
    assert "This code is not right" in page and not Authenticator.objects.exists()


@pytest.mark.parametrize("digits", ["0123456789", "۰۱۲۳۴۵۶۷۸۹"])
def test_the_apps_code_opens_the_account_once(guarded, anyone, digits):
    password_typed(anyone)
    code = app_code(SEED).translate(str.maketrans("0123456789", digits))
    anyone.post(CODE, {"code": code})
    assert anyone.session["_auth_user_id"] == str(guarded.pk)
    again = Client()
    password_typed(again)
    again.post(CODE, {"code": app_code(SEED)})
    assert "_auth_user_id" not in again.session, "a code that somebody saw over a shoulder opens nothing"


def test_a_recovery_code_works_once_and_its_owner_is_told(guarded, anyone):
    codes = Authenticator.objects.get(type="recovery_codes").wrap().generate_codes()
    password_typed(anyone)
    anyone.post(CODE, {"code": codes[3]})
    assert anyone.session["_auth_user_id"] == str(guarded.pk) and told(guarded) == ["recovery_code_used"]
    again = Client()
    password_typed(again)
    again.post(CODE, {"code": codes[3]})
    assert "_auth_user_id" not in again.session


def test_guessing_codes_ends_after_a_few(guarded, anyone):
    password_typed(anyone)
    for _ in range(12):
        last = anyone.post(CODE, {"code": "000000"})
    assert "Too many wrong tries" in last.content.decode()
    password_typed(anyone)
    anyone.post(CODE, {"code": app_code(SEED)})
    assert "_auth_user_id" not in anyone.session, "the right one no longer counts either"
    cache.clear()


def test_recovery_codes_are_downloaded_and_made_anew(guarded, alice_client, django_capture_on_commit_callbacks):
    alice_client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    old = alice_client.get("/accounts/2fa/recovery-codes/download/")
    assert len(old.content.split()) == 10 and "attachment" in old.headers["Content-Disposition"]
    with django_capture_on_commit_callbacks(execute=True):
        alice_client.post("/accounts/2fa/recovery-codes/generate/")
    new = alice_client.get("/accounts/2fa/recovery-codes/download/")
    assert not set(old.content.split()) & set(new.content.split()) and told(guarded) == ["recovery_codes_generated"]


def test_the_app_is_removed_and_its_codes_with_it(guarded, alice_client, anyone):
    alice_client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    alice_client.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.exists() and told(guarded) == ["totp_deactivated"]
    password_typed(anyone)
    assert anyone.session["_auth_user_id"] == str(guarded.pk)


# --- step up ---------------------------------------------------------------------------------------------------------

STEPS = [
    "account_email",
    "account_change_phone",
    "account_change_password",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_download_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_add_webauthn",
    ("mfa_edit_webauthn", 1),
    ("mfa_remove_webauthn", 1),
    "export",
]


@pytest.mark.parametrize("step", STEPS, ids=str)
@pytest.mark.parametrize("method", ["get", "post"])
def test_every_step_that_matters_asks_who_it_is(guarded, alice_client, step, method):
    name, args = (step, []) if isinstance(step, str) else (step[0], [_passkey(guarded).pk])
    if name == "mfa_activate_totp":
        Authenticator.objects.filter(type="totp").delete()
    path = reverse(name, args=args)
    if name == "account_email" and method == "get":
        method = "post"  # looking at the form is harmless, and allauth asks when it is sent
    if name in ("mfa_view_recovery_codes", "mfa_download_recovery_codes"):
        method = "get"  # there is nothing to send
    response = getattr(alice_client, method)(path, {"email": "new@example.com", "action_add": ""})
    assert response.status_code == 302, path
    assert response.headers["Location"].startswith("/accounts/reauthenticate/?next="), response.headers["Location"]


def _passkey(customer) -> Authenticator:
    return Authenticator.objects.create(user=customer, type="webauthn", data={"name": "my phone", "credential": {}})


def test_step_up_is_forgotten_after_a_while(alice_client, alice, settings):
    alice_client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert alice_client.get("/accounts/2fa/totp/activate/").status_code == 200
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    assert alice_client.get("/accounts/2fa/totp/activate/").status_code == 302


def test_step_up_takes_the_apps_code_too(guarded, alice_client):
    page = alice_client.get("/accounts/reauthenticate/").content.decode()
    assert "/accounts/2fa/reauthenticate/" in page
    alice_client.post("/accounts/2fa/reauthenticate/", {"code": app_code(SEED)})
    assert alice_client.get("/accounts/2fa/recovery-codes/").status_code == 200


def test_bob_cannot_touch_alices_passkey(alice, bob_client):
    bob_client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    key = _passkey(alice)
    for name in ("mfa_edit_webauthn", "mfa_remove_webauthn"):
        assert bob_client.post(reverse(name, args=[key.pk]), {"name": "mine"}).status_code == 404
    assert Authenticator.objects.get().wrap().name == "my phone"


# --- staff -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def dave(db):
    return make_customer("dave@example.com", "+989121110004", language="en", is_staff=True, is_superuser=True)


@pytest.fixture
def dave_client(dave):
    client = Client(headers={"accept-language": "en"})
    client.force_login(dave)
    return client


ADMIN = ["/admin/", "/admin/accounts/customer/", "/admin/accounts/customer/find/", "/admin/password_change/"]


@pytest.mark.parametrize("path", ADMIN)
def test_staff_without_a_second_factor_are_led_to_set_one_up(dave_client, path):
    for response in (dave_client.get(path, follow=True), dave_client.post(path, {"what": "x"}, follow=True)):
        assert response.redirect_chain[0][0] == "/accounts/2fa/"
        assert "Our staff need a second factor" in response.content.decode()


def test_staff_who_showed_only_a_password_are_asked_for_the_other(dave, dave_client):
    Authenticator.objects.create(user=dave, type="totp", data={"secret": SEED})
    response = dave_client.get("/admin/accounts/customer/?is_staff__exact=1")
    assert response.headers["Location"].startswith("/accounts/2fa/reauthenticate/?next=%2Fadmin%2Faccounts")
    dave_client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert dave_client.get("/admin/").status_code == 302, "the password again is no second factor"
    landed = dave_client.post(response.headers["Location"], {"code": app_code(SEED)}, follow=True)
    assert landed.redirect_chain[-1][0] == "/admin/accounts/customer/?is_staff__exact=1" and landed.status_code == 200


def test_recovery_codes_alone_are_no_second_factor(dave, dave_client):
    Authenticator.objects.create(user=dave, type="recovery_codes", data={"seed": "a" * 80, "used_mask": 0})
    assert dave_client.get("/admin/").headers["Location"] == "/accounts/2fa/"


def test_staff_keep_their_last_factor(dave, dave_client):
    show_second_factor(dave_client, dave)
    dave_client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = dave_client.post("/accounts/2fa/totp/deactivate/").content.decode()
    assert "Our staff need a second factor" in page and Authenticator.objects.count() == 1
    key = _passkey(dave)
    dave_client.post("/accounts/2fa/totp/deactivate/")
    assert list(Authenticator.objects.all()) == [key]
    refused = dave_client.post(reverse("mfa_remove_webauthn", args=[key.pk]), follow=True)
    assert refused.redirect_chain[-1][0] == "/accounts/2fa/" and Authenticator.objects.count() == 1


def test_one_customer_has_one_app(guarded):
    with pytest.raises(IntegrityError), transaction.atomic():
        Authenticator.objects.create(user=guarded, type="totp", data={"secret": SEED})


def test_an_app_of_another_row_does_not_open(guarded, bob):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO mfa_authenticator (user_id, type, data, created_at)"
            " SELECT %s, type, data, created_at FROM mfa_authenticator WHERE type = 'totp'",
            [bob.pk],
        )
    with pytest.raises(CannotOpen):
        _ = Authenticator.objects.get(user=bob).data
