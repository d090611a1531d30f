"""Staff suspend an account: nobody is signed in to it from that moment, and its owner reads why."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts.flows import end_sessions, lift_suspension, suspend
from accounts.models import Customer, Suspension
from devices.models import SignIn
from notifications.models import Delivery, Event
from tests.base import PASSWORD, make_customer, show_second_factor

WHY = {"why": "Reported as stolen by phone"}


def signed_in(login: str = "alice@example.com") -> Client:
    client = Client(headers={"accept-language": "en"})
    client.post("/accounts/login/", {"login": login, "password": PASSWORD})
    return client


def suspend_page(customer: Customer) -> str:
    return f"/admin/accounts/customer/{customer.pk}/suspend/"


def test_every_session_ends_at_once_and_stays_ended(alice, carol_client):
    phone, desktop = signed_in(), signed_in()
    assert phone.get("/profile/").status_code == desktop.get("/profile/").status_code == 200
    carol_client.post(suspend_page(alice), WHY)
    assert phone.get("/profile/").status_code == desktop.get("/profile/").status_code == 302
    assert not SignIn.objects.visible_to(alice).filter(ended_at=None).exists()
    carol_client.post(f"/admin/accounts/customer/{alice.pk}/lift/")
    assert phone.get("/profile/").status_code == 302, "an old session does not come back to life"
    assert signed_in().get("/profile/").status_code == 200


def test_a_session_that_no_list_knows_ends_too(alice):
    client = signed_in()
    SignIn.objects.all().delete()
    end_sessions(customer=alice)
    assert client.get("/profile/").status_code == 302


def test_others_stay_signed_in(alice, bob_client, carol):
    suspend(staff=carol, customer=alice, why="Reported as stolen")
    assert bob_client.get("/profile/").status_code == 200


def test_who_is_suspended_gets_a_clear_page_after_the_right_password_only(alice, carol):
    suspend(staff=carol, customer=alice, why="Reported as stolen")
    client = Client(headers={"accept-language": "en"})
    right = client.post("/accounts/login/", {"login": "alice@example.com", "password": PASSWORD}, follow=True)
    assert right.redirect_chain[-1][0] == "/accounts/inactive/" and "call our support" in right.content.decode()
    wrong = client.post("/accounts/login/", {"login": "alice@example.com", "password": "wrong-wrong"})
    assert "do not belong together" in wrong.content.decode()
    for page in ("/accounts/password/reset/", "/accounts/login/code/"):
        client.post(page, {"email": "alice@example.com", "login": "alice@example.com"})
    assert not Event.objects.filter(message__in=["password_reset", "login_code"]).exists()


def test_the_customer_reads_the_reason_and_it_is_sealed(alice, carol):
    suspend(staff=carol, customer=alice, why="Reported as stolen")
    event = Event.objects.get(message="suspended")
    assert event.context["why"] == "Reported as stolen" and Delivery.objects.filter(event=event).count() == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(s)::text FROM accounts_suspension s")
        assert "stolen" not in cursor.fetchone()[0]


def test_twice_is_once(alice, carol):
    assert suspend(staff=carol, customer=alice, why="Reported as stolen")
    assert suspend(staff=carol, customer=alice, why="Reported as stolen") is None
    assert lift_suspension(staff=carol, customer=alice) and not lift_suspension(staff=carol, customer=alice)
    assert [Event.objects.filter(message=m).count() for m in ("suspended", "suspension_lifted")] == [1, 1]
    again = Suspension.objects.get()
    assert again.lifted_by == carol and again.lifted_at


def test_two_cannot_stand_at_once(alice, carol):
    suspend(staff=carol, customer=alice, why="Reported as stolen")
    with pytest.raises(IntegrityError), transaction.atomic():
        Suspension.objects.create(customer=alice, by=carol, why="once more")


def test_staff_say_why(alice, carol_client):
    page = carol_client.post(suspend_page(alice), {"why": "no"})
    assert page.status_code == 200 and Customer.objects.get(pk=alice.pk).is_active


@pytest.mark.parametrize(("rights", "answer"), [([], 403), (["view_customer"], 403), (["suspend_customer"], 200)])
def test_it_takes_a_right(alice, rights, answer):
    from django.contrib.auth.models import Permission

    dave = make_customer("dave@example.com", "+989121110004", language="en", is_staff=True)
    dave.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = signed_in("dave@example.com")
    show_second_factor(client, dave)
    assert client.get(suspend_page(alice)).status_code == answer


def test_nobody_suspends_themselves_nor_lifts_their_own(carol, carol_client):
    assert carol_client.post(suspend_page(carol), WHY).status_code == 403
    with pytest.raises(ValueError, match="themselves"):
        suspend(staff=carol, customer=carol, why="I am tired")
    with pytest.raises(IntegrityError), transaction.atomic():
        Suspension.objects.create(customer=carol, by=carol, why="I am tired")


def test_only_a_superuser_suspends_one(carol):
    from django.contrib.auth.models import Permission

    dave = make_customer("dave@example.com", "+989121110004", language="en", is_staff=True)
    dave.user_permissions.set(Permission.objects.filter(codename="suspend_customer"))
    client = signed_in("dave@example.com")
    show_second_factor(client, dave)
    assert client.post(suspend_page(carol), WHY).status_code == 403 and Customer.objects.get(pk=carol.pk).is_active


def test_the_staff_page_shows_the_state_and_the_way_on(alice, carol_client):
    page = f"/admin/accounts/customer/{alice.pk}/change/"
    assert suspend_page(alice) in carol_client.get(page).content.decode()
    carol_client.post(suspend_page(alice), WHY)
    assert f"/admin/accounts/customer/{alice.pk}/lift/" in carol_client.get(page).content.decode()
    assert "Reported as stolen" in carol_client.get(f"/admin/accounts/customer/{alice.pk}/lift/").content.decode()
