"""A changed e-mail or mobile: the new one proves itself, the old one hears of it and can undo it for three days."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.flows import forget_contact_changes
from accounts.models import ContactChange, Customer
from devices.models import SignIn
from notifications.models import Delivery, Event
from tests.base import PASSWORD, SEED, make_customer


def newest(message: str) -> dict[str, str]:
    return Event.objects.filter(message=message).latest("at").context


def path_of(url: str) -> str:
    return url.removeprefix("http://127.0.0.1:8000").split("testserver")[-1]


def change_email(client: Client, new: str) -> None:
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.post("/accounts/email/", {"action_add": "", "email": new})
    client.post(path_of(newest("confirm_email")["url"]))


def change_mobile(client: Client, new: str) -> None:
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.post("/accounts/phone/change/", {"phone": new})
    client.post("/accounts/phone/verify/", {"action": "verify", "code": newest("phone_code")["code"]})


def undo_link() -> str:
    return path_of(newest("contact_changed")["url"])


@pytest.fixture
def thief(alice) -> Client:
    """Somebody who found alice signed in."""
    client = Client(headers={"accept-language": "en"})
    client.post("/accounts/login/", {"login": "alice@example.com", "password": PASSWORD})
    return client


def addresses() -> tuple[str, str]:
    alice = Customer.objects.get()
    return alice.email, alice.mobile


def test_a_new_email_counts_once_it_is_confirmed_and_the_old_one_is_told(thief, alice):
    thief.post("/accounts/reauthenticate/", {"password": PASSWORD})
    thief.post("/accounts/email/", {"action_add": "", "email": "new@example.com"})
    assert Customer.objects.get(pk=alice.pk).email == "alice@example.com" and not ContactChange.objects.exists()
    thief.post(path_of(newest("confirm_email")["url"]))
    assert Customer.objects.get(pk=alice.pk).email == "new@example.com"
    told = Delivery.objects.filter(event__message="contact_changed")
    assert {d.recipient for d in told} == {"alice@example.com", "+989121110001"}
    change = ContactChange.objects.get()
    assert (change.what, change.old) == ("email", "alice@example.com")
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(c)::text FROM accounts_contactchange c")
        row = cursor.fetchone()[0]
    assert "alice@" not in row and undo_link().split("/")[-2] not in row


def test_opening_the_link_changes_nothing(thief, anyone):
    change_email(thief, "new@example.com")
    page = anyone.get(undo_link())
    assert page.status_code == 200 and "It was not me, take it back" in page.content.decode()
    assert page.headers["Cache-Control"].startswith("max-age=0") and "new@example.com" not in page.content.decode()
    assert addresses()[0] == "new@example.com" and ContactChange.objects.get().undone_at is None


def test_the_owner_of_the_old_email_takes_the_account_back(thief, alice, anyone):
    change_email(thief, "thief@example.com")
    Authenticator.objects.create(user=alice, type="totp", data={"secret": SEED})
    assert "Your account is yours again" in anyone.post(undo_link()).content.decode()
    assert addresses() == ("alice@example.com", "+989121110001")
    assert [(a.email, a.verified, a.primary) for a in EmailAddress.objects.all()] == [("alice@example.com", True, True)]
    assert thief.get("/profile/").status_code == 302, "the thief is out at the next click"
    assert not SignIn.objects.filter(ended_at=None).exists()
    assert not Customer.objects.get().has_usable_password() and not Authenticator.objects.exists()
    told = Delivery.objects.filter(event__message="contact_restored")
    assert {d.recipient for d in told} == {"alice@example.com", "+989121110001"}
    anyone.post("/accounts/password/reset/", {"email": "alice@example.com"})
    form = anyone.get(path_of(newest("password_reset")["url"]), follow=True).redirect_chain[-1][0]
    anyone.post(form, {"password1": "my-own-new-words", "password2": "my-own-new-words"})
    anyone.post("/accounts/login/", {"login": "09121110001", "password": "my-own-new-words"})
    assert anyone.session["_auth_user_id"] == str(alice.pk)


@pytest.mark.parametrize("last", ["email", "mobile"])
def test_whichever_link_is_opened_both_addresses_come_back(thief, anyone, last):
    steps = [lambda: change_email(thief, "thief@example.com"), lambda: change_mobile(thief, "09129998877")]
    for step in steps if last == "mobile" else steps[::-1]:
        step()
    assert addresses() == ("thief@example.com", "+989129998877")
    anyone.post(undo_link())
    assert addresses() == ("alice@example.com", "+989121110001")


def test_a_chain_of_changes_goes_back_to_the_one_that_the_link_was_sent_to(thief, anyone):
    change_email(thief, "second@example.com")
    first = undo_link()
    change_email(thief, "third@example.com")
    assert anyone.post(undo_link()).status_code == 200 and addresses()[0] == "second@example.com"
    assert anyone.post(first).status_code == 200 and addresses()[0] == "alice@example.com"


def test_a_link_works_once(thief, anyone):
    change_email(thief, "new@example.com")
    link = undo_link()
    assert anyone.post(link).status_code == 200
    for answer in (anyone.get(link), anyone.post(link)):
        assert answer.status_code == 410 and "This link no longer works" in answer.content.decode()
    assert Event.objects.filter(message="contact_restored").count() == 1


def test_after_three_days_it_is_too_late_and_the_old_address_is_forgotten(thief, anyone):
    change_email(thief, "new@example.com")
    ContactChange.objects.update(at=timezone.now() - timedelta(hours=72, seconds=1))
    assert anyone.post(undo_link()).status_code == 410 and addresses()[0] == "new@example.com"
    assert forget_contact_changes() == 1 and forget_contact_changes() == 0


def test_an_open_change_is_not_forgotten(thief):
    change_email(thief, "new@example.com")
    ContactChange.objects.update(at=timezone.now() - timedelta(hours=71))
    assert forget_contact_changes() == 0


@pytest.mark.parametrize("token", ["x", "a" * 22, "%00"])
def test_a_made_up_link_opens_nothing(thief, anyone, token):
    change_email(thief, "new@example.com")
    assert anyone.post(f"/accounts/undo/{token}/").status_code == 410 and addresses()[0] == "new@example.com"


def test_nobody_takes_an_old_email_while_it_can_come_back(thief, bob_client, bob):
    change_email(thief, "new@example.com")
    bob_client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    bob_client.post("/accounts/email/", {"action_add": "", "email": "alice@example.com"})
    link = path_of(newest("confirm_email")["url"])
    page = bob_client.post(link, follow=True).content.decode()
    assert "until lately" in page and Customer.objects.get(pk=bob.pk).email == "bob@example.com"
    ContactChange.objects.update(at=timezone.now() - timedelta(hours=73))
    bob_client.post(link)
    assert Customer.objects.get(pk=bob.pk).email == "alice@example.com"


def test_nobody_takes_an_old_mobile_while_it_can_come_back(thief, bob_client, bob):
    change_mobile(thief, "09129998877")
    cache.clear()
    bob_client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    bob_client.post("/accounts/phone/change/", {"phone": "09121110001"})
    code = {"action": "verify", "code": newest("phone_code")["code"]}
    assert "until lately" in bob_client.post("/accounts/phone/verify/", code).content.decode()
    assert Customer.objects.get(pk=bob.pk).mobile == "+989121110002"


def test_the_owner_herself_may_go_back_the_ordinary_way(thief):
    change_email(thief, "new@example.com")
    change_email(thief, "alice@example.com")
    assert addresses()[0] == "alice@example.com"


def test_a_sign_up_that_only_typed_the_old_address_stands_in_nobodys_way(thief, anyone):
    change_email(thief, "new@example.com")
    squatter = make_customer("squat@example.com", "+989121110077")
    Customer.objects.filter(pk=squatter.pk).update(mobile_verified_at=None)
    EmailAddress.objects.filter(user=squatter).delete()
    Customer.objects.filter(pk=squatter.pk).update(email="alice@example.com")
    anyone.post(undo_link())
    assert Customer.objects.get(email="alice@example.com").mobile == "+989121110001"
