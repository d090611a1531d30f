"""/messages/: everything that was told, and whether it arrived."""

from typing import Any

import pytest
from django.utils import timezone

from notifications.models import Delivery
from notifications.progress import label, note
from tests.notifications.base import only


def test_alice_reads_what_she_was_told(alice, alice_client, tell):
    event = tell(alice, "invoice_issued")
    page = alice_client.get("/messages/").content.decode()
    assert "Invoice 1405-000012" in page and page.count("Waiting to be sent") == 2
    page = alice_client.get(f"/messages/{event.pk}/").content.decode()
    assert "132,000 Toman" in page and "Tuesday 1 December 2026" in page and "SMS" in page


def test_codes_and_links_stay_hidden(alice, alice_client, tell):
    for message, secret in (("phone_code", "482913"), ("confirm_email", "secret")):
        page = alice_client.get(f"/messages/{tell(alice, message).pk}/").content.decode()
        assert secret not in page and "••••••" in page


def test_bob_cannot_read_alices_message(alice, bob_client, tell):
    event = tell(alice, "invoice_issued")
    assert bob_client.get(f"/messages/{event.pk}/").status_code == 404
    assert "1405-000012" not in bob_client.get("/messages/").content.decode()


def test_the_pages_need_sign_in(alice, anyone, tell):
    for path in ("/messages/", f"/messages/{tell(alice, 'invoice_issued').pk}/"):
        assert anyone.get(path).headers["Location"].startswith("/accounts/login/")


def test_a_message_stays_in_the_language_in_which_it_went(bob, bob_client, tell):
    page = bob_client.get(f"/messages/{tell(bob, 'invoice_issued').pk}/").content.decode()
    assert 'lang="fa" dir="rtl"' in page and "۱۳۲٬۰۰۰ تومان" in page


def test_many_messages_come_in_pages(alice, alice_client, tell):
    for number in range(21):
        tell(alice, "invoice_issued", about=f"invoice:{number}")
    assert "Page 1 of 2" in alice_client.get("/messages/").content.decode()
    assert alice_client.get("/messages/?page=2").content.decode().count("Invoice 1405-000012") == 1


def test_the_list_costs_the_same_for_one_and_for_twenty(alice, alice_client, tell, django_assert_max_num_queries):
    for number in range(20):
        tell(alice, "invoice_issued", about=f"invoice:{number}")
    with django_assert_max_num_queries(12):
        alice_client.get("/messages/")


@pytest.mark.parametrize("status", Delivery.Status.values)
@pytest.mark.parametrize("channel", ["email", "sms"])
def test_every_state_has_words(alice, alice_client, tell, status, channel):
    way = only(tell(alice, "ticket_answered"), channel)
    Delivery.objects.filter(pk=way.pk).update(status=status, accepted_at=timezone.now(), tries=1)
    way.refresh_from_db()
    page = alice_client.get(f"/messages/{way.event_id}/").content.decode()
    assert label(way) in page


@pytest.mark.parametrize(
    ("mobile", "how"),
    [("+989121110001", "*800#"), ("+989901110001", "*800#"), ("+989351110001", "5005"), ("+989201110001", "operator")],
)
def test_a_blocked_mobile_learns_how_to_lift_it_at_its_operator(alice, tell, mobile, how):
    way = only(tell(alice, "password_changed", to={"sms": mobile}), "sms")
    way.status = "blocked"
    said = note(way)
    assert how in said and sum(code in said for code in ("*800#", "5005")) == (how != "operator")


def test_the_list_says_once_that_sms_are_blocked_until_one_arrives(alice, alice_client, tell):
    line = "To let them through, dial *800#."

    def ended(status: str, message: str = "password_changed", **options: Any) -> None:
        way = only(tell(alice, message, about=f"test:{status}{message}{options}", **options), "sms")
        Delivery.objects.filter(pk=way.pk).update(status=status)

    ended("delivered")
    assert line not in alice_client.get("/messages/").content.decode()
    ended("blocked")
    ended("blocked", "invoice_issued")
    ended("delivered", "phone_code")  # codes pass such blocks
    assert alice_client.get("/messages/").content.decode().count(line) == 1
    ended("delivered", "ticket_opened")
    assert line not in alice_client.get("/messages/").content.decode()
