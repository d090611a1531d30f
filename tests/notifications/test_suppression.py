"""An address that does not work: its owner reads it, and who may say that it works again."""

import json

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction

from accounts.adapter import Adapter
from accounts.flows import contact_changed, undo_contact_change
from notifications import flows, privacy
from notifications.models import Suppression

BANNER = "Our letters to your e-mail address come back"


def stop(reader, channel="email") -> Suppression:
    return Suppression.objects.create(reader=reader, channel=channel, reason="hard", code="5.1.1")


@pytest.fixture
def stopped(alice) -> Suppression:
    return stop(alice)


def test_alice_reads_that_letters_come_back_and_what_to_do(stopped, alice_client, bob_client):
    for path in ("/messages/", "/profile/"):
        page = alice_client.get(path).content.decode()
        assert BANNER in page and "There is no such mailbox" in page and 'href="/accounts/email/"' in page
        assert BANNER not in bob_client.get(path).content.decode()


def test_the_dashboard_does_not_ask(stopped, alice_client, django_assert_max_num_queries):
    with django_assert_max_num_queries(50) as asked:
        assert BANNER not in alice_client.get("/dashboard/", follow=True).content.decode()
    assert not [query for query in asked.captured_queries if "suppression" in query["sql"]]


def test_its_owner_may_say_that_it_works_again(stopped, alice, alice_client):
    page = alice_client.post("/messages/try-again/", follow=True)
    assert BANNER not in page.content.decode() and page.redirect_chain[-1][0] == "/messages/"
    stopped.refresh_from_db()
    assert (stopped.lifted_why, stopped.lifted_by) == ("asked", alice) and stopped.lifted_at
    assert alice_client.post("/messages/try-again/").status_code == 302, "twice is once"


def test_bob_cannot_lift_alices_and_a_look_changes_nothing(stopped, bob_client, alice_client, anyone):
    assert bob_client.post("/messages/try-again/").status_code == 302
    assert alice_client.get("/messages/try-again/").status_code == 405
    assert anyone.post("/messages/try-again/").headers["Location"].startswith("/accounts/login/")
    assert Suppression.objects.open().count() == 1


def test_to_confirm_the_address_lifts_it(stopped, alice, alice_client):
    other = stop(alice, "sms")
    address = EmailAddress.objects.create(user=alice, email="alice@new.example", verified=False, primary=False)
    alice_client.post(f"/accounts/confirm-email/{EmailConfirmationHMAC(address).key}/")
    stopped.refresh_from_db()
    assert stopped.lifted_why == "confirmed"
    Adapter().set_phone_verified(alice, alice.mobile)
    other.refresh_from_db()
    assert other.lifted_why == "confirmed"


def test_an_address_that_comes_back_to_its_owner_works_again(alice, monkeypatch):
    tokens = iter(["token-of-the-change"] * 2)
    monkeypatch.setattr("accounts.models.contact.secrets.token_urlsafe", lambda *_: next(tokens))
    contact_changed(customer=alice, what="email", old="alice@example.com")
    stop(alice)
    assert undo_contact_change(token="token-of-the-change")
    assert not Suppression.objects.open().exists()


@pytest.mark.parametrize(("action", "why"), [("lift_works", "works"), ("lift_mistake", "mistake")])
def test_staff_lift_it_with_a_reason(stopped, carol, carol_client, action, why):
    assert "5.1.1" in carol_client.get("/admin/notifications/suppression/").content.decode()
    chosen = {"action": action, "_selected_action": [stopped.pk]}
    carol_client.post("/admin/notifications/suppression/", chosen)
    stopped.refresh_from_db()
    assert (stopped.lifted_why, stopped.lifted_by) == (why, carol)


def test_staff_without_the_right_cannot(stopped, carol, carol_client):
    carol.is_superuser = False
    carol.save()
    carol.user_permissions.set(Permission.objects.filter(codename__in=["view_suppression", "view_receipt"]))
    assert carol_client.get("/admin/notifications/receipt/").status_code == 200
    chosen = {"action": "lift_works", "_selected_action": [stopped.pk]}
    carol_client.post("/admin/notifications/suppression/", chosen)
    stopped.refresh_from_db()
    assert stopped.lifted_at is None


def test_an_address_is_stopped_once_and_lifted_once(stopped, alice):
    with pytest.raises(IntegrityError), transaction.atomic():
        stop(alice)
    assert flows.lift_suppression(reader=alice, channel="email", why="works")
    assert not flows.lift_suppression(reader=alice, channel="email", why="works")
    stop(alice)
    with pytest.raises(IntegrityError), transaction.atomic():
        Suppression.objects.open().update(lifted_why="works")


def test_it_is_handed_over_and_erased_with_the_rest(stopped, alice):
    assert "5.1.1" in json.dumps(privacy.export(alice))
    privacy.erase(alice)
    assert not Suppression.objects.exists()
