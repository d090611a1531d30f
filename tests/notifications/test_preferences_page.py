"""/messages/preferences/: what is owed is locked, with the policy's own sentence; the rest is the reader's choice."""

import datetime as dt
import re

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone, translation

from accounts.models import Company, Customer, Membership
from notifications import kinds
from notifications.messages import CATALOGUE
from notifications.models import Delivery, Preference
from notifications.progress import unblocking
from tests.notifications.base import only

PAGE = "/messages/preferences/"
CHOICE = {"quiet_from": "23:00", "quiet_until": "07:00", "digest": "on", "language": "en"}


def policy(language: str) -> str:
    return (settings.BASE_DIR / f"policy/text/1.{language}.md").read_text(encoding="utf-8")


def test_alice_chooses_her_hours(alice, alice_client):
    page = alice_client.get(PAGE).content.decode()
    assert re.search(r'<option value="22:00" selected', page) and re.search(r'<option value="08:00" selected', page)
    response = alice_client.post(PAGE, CHOICE, follow=True)
    assert "Saved." in response.content.decode()
    chosen = Preference.objects.get(reader=alice)
    assert (chosen.quiet_from, chosen.quiet_until, chosen.digest) == (dt.time(23), dt.time(7), True)
    page = response.content.decode()
    assert re.search(r'<option value="23:00" selected', page) and re.search(r'name="digest"[^>]*checked', page)


def test_twice_is_once(alice, alice_client):
    for _ in range(2):
        alice_client.post(PAGE, CHOICE)
    assert Preference.objects.count() == 1


def test_the_language_of_messages_is_chosen_here_too(alice, alice_client):
    alice_client.post(PAGE, CHOICE | {"language": "fa"})
    alice.refresh_from_db()
    assert alice.language == "fa" and alice.email == "alice@example.com"


@pytest.mark.parametrize(
    "wrong", [{"quiet_from": "25:00"}, {"quiet_from": "22:30"}, {"quiet_until": ""}, {"language": "de"}]
)
def test_bad_input_is_told_and_nothing_saved(alice, alice_client, wrong):
    page = alice_client.post(PAGE, CHOICE | wrong).content.decode()
    assert "Please look at this again" in page and f'href="#id_{next(iter(wrong))}"' in page
    assert not Preference.objects.exists()


def test_the_page_needs_sign_in(anyone):
    assert anyone.get(PAGE).headers["Location"].startswith("/accounts/login/")


def test_bobs_choice_is_his_own(alice_client, bob, bob_client):
    alice_client.post(PAGE, CHOICE)
    assert not Preference.objects.filter(reader=bob).exists()
    assert re.search(r'<option value="22:00" selected', bob_client.get(PAGE).content.decode())


def test_a_companys_member_chooses_for_herself(alice, alice_client):
    company = Customer.objects.create(kind=Customer.Kind.COMPANY, name="Atlas Co", language="fa")
    row = Company.objects.create(customer=company, national_id="10380284790", registration_number="12345")
    Membership.objects.create(company=row, person=alice, role="billing")
    session = alice_client.session
    session["company"] = str(row.pk)
    session.save()
    page = alice_client.get(PAGE).content.decode()
    assert "each of your colleagues has theirs" in page and 'id="id_language"' not in page
    alice_client.post(PAGE, CHOICE)
    assert Preference.objects.get().reader_id == alice.pk
    company.refresh_from_db()
    assert company.language == "fa"


# --- what is owed ----------------------------------------------------------------------------------------------------


def test_every_kind_of_notice_has_its_words():
    assert set(kinds.KINDS) == set(CATALOGUE)


def test_every_kind_is_there_locked_on_each_of_its_channels(alice_client):
    page = alice_client.get(PAGE).content.decode()
    ways = sum(len(kind.channels) for kind in CATALOGUE.values())
    assert page.count("#lock") == ways == page.count("Always by e-mail") + page.count("Always by SMS")
    for what in kinds.KINDS.values():
        assert str(what).replace("'", "&#x27;") in page
    assert page.count("waits until your quiet hours end") == sum(kind.can_wait for kind in CATALOGUE.values())
    assert "come at once, at any hour" in page


def test_nothing_that_is_owed_can_be_sent_to_be_switched_off(alice, alice_client, tell):
    alice_client.post(PAGE, CHOICE | {"invoice_issued": "", "email": "off", "sms": "off"})
    assert {way.channel for way in tell(alice, "invoice_issued").deliveries.filter(status="queued")} == {"email", "sms"}


@pytest.mark.parametrize("sentence", ["OWED", "CALLS"])
def test_the_quoted_sentence_is_the_policys_own_word_for_word(alice_client, sentence):
    said = getattr(kinds, sentence)
    with translation.override("en"):
        assert str(said) in policy("en")
    with translation.override("fa"):  # that it is translated at all is the catalogue's own test
        assert str(said) in policy("fa") + policy("en")


def test_the_sentence_stands_on_the_page(alice_client):
    assert f'<blockquote cite="/policy/">{kinds.OWED}' in alice_client.get(PAGE).content.decode()


# --- a block at the operator -----------------------------------------------------------------------------------------


def sms(customer: Customer, tell: object, status: str, message: str = "invoice_issued", ago: int = 0) -> None:
    event = tell(customer, message, about=f"test:{status}:{ago}", key=f"{message}:{status}:{ago}")
    at = timezone.now() - dt.timedelta(minutes=ago)
    Delivery.objects.filter(pk=only(event, "sms").pk).update(status=status, accepted_at=at)


@pytest.mark.parametrize("page", [PAGE, "/messages/"])
def test_a_blocked_mobile_is_told_how_to_lift_it_until_one_arrives(alice, alice_client, tell, page):
    def card() -> bool:
        return "Your operator blocks messages" in alice_client.get(page).content.decode()

    sms(alice, tell, "delivered", ago=9)
    assert not card()
    sms(alice, tell, "blocked", ago=6)
    assert card() and "*800#" in alice_client.get(page).content.decode()
    sms(alice, tell, "accepted", ago=5)
    assert card(), "nobody knows yet whether it arrives"
    sms(alice, tell, "delivered", "phone_code", ago=4)
    assert card(), "codes go past such a block"
    sms(alice, tell, "delivered", ago=3)
    assert not card()


def test_bob_is_not_told_of_alices_block(alice, bob_client, tell):
    sms(alice, tell, "blocked")
    assert "operator blocks" not in bob_client.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("mobile", "code"),
    [
        ("+989121110001", "*800#"),
        ("+989901110001", "*800#"),
        ("+989351110001", "5005"),
        ("+989021110001", "5005"),
        ("+989411110001", "5005"),
        ("+989211110001", "ask your operator"),
        (None, "ask your operator"),
    ],
)
def test_each_operator_has_its_own_code(mobile, code):
    with translation.override("en"):
        assert code in unblocking(mobile or "")


def test_in_persian_it_reads_from_the_right_with_its_own_digits(bob):
    client = Client()
    client.force_login(bob)
    with translation.override(None):  # or the page's language would stay for the tests after this one
        page = client.get(PAGE, headers={"accept-language": "fa"}).content.decode()
    assert 'dir="rtl"' in page and "۲۲:۰۰" in page and "<script>" not in page
