"""The staff screens that send again: the right, the reason, the answer why not, and many at once."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from notifications.models import Delivery, Resend
from tests.base import show_second_factor
from tests.notifications.base import only

LIST = "/admin/notifications/delivery/"
VIEW, RESEND = "view_delivery", "resend_delivery"


@pytest.fixture
def clerk(erin):
    def signed_in(*rights: str) -> Client:
        erin.user_permissions.set(Permission.objects.filter(codename__in=rights))
        client = Client(headers={"accept-language": "en"})
        client.force_login(erin)
        show_second_factor(client, erin)
        return client

    return signed_in


@pytest.fixture
def failed(alice, tell) -> Delivery:
    way = only(tell(alice, "password_changed"), "sms")
    Delivery.objects.filter(pk=way.pk).update(status="undelivered", last_code="11", carrier="kavenegar")
    return Delivery.objects.get(pk=way.pk)


def page(way: Delivery, name: str = "change") -> str:
    return f"{LIST}{way.pk}/{name}/"


def test_it_asks_for_a_reason_and_writes_down_who(clerk, erin, failed):
    client = clerk(VIEW, RESEND)
    assert page(failed, "resend") in client.get(page(failed)).content.decode()
    asked = client.get(page(failed, "resend")).content.decode()
    assert "The provider was at fault" in asked and "the mobile was off or out of reach" in asked
    assert "This field is required" in client.post(page(failed, "resend"), {"why": ""}).content.decode()
    assert not Resend.objects.exists()
    said = client.post(page(failed, "resend"), {"why": "provider"}, follow=True).content.decode()
    assert "1 put back to be sent." in said and "alice@example.com" not in said and "9121110001" not in said
    failed.refresh_from_db()
    assert failed.status == "queued" and Resend.objects.get().by == erin


def test_without_the_right_there_is_no_button_and_no_way(clerk, failed):
    client = clerk(VIEW, "change_delivery")
    assert page(failed, "resend") not in client.get(page(failed)).content.decode()
    assert client.post(page(failed, "resend"), {"why": "asked"}).status_code == 403
    ticked = {"action": "send_again", "_selected_action": [str(failed.pk)], "why": "asked"}
    client.post(LIST, ticked)
    failed.refresh_from_db()
    assert failed.status == "undelivered" and not Resend.objects.exists()


def test_the_page_says_why_not(clerk, failed):
    client = clerk(VIEW, RESEND)
    Delivery.objects.update(status="accepted")
    said = client.get(page(failed)).content.decode()
    assert "It cannot be sent again. It is on its way and may still arrive." in said and "/resend/" not in said
    said = client.post(page(failed, "resend"), {"why": "asked"}, follow=True).content.decode()
    assert "may still arrive" in said and not Resend.objects.exists()


def test_many_are_sent_again_with_one_reason(clerk, alice, failed, tell):
    letter = only(failed.event, "email")
    Delivery.objects.filter(pk=letter.pk).update(status="parked")
    code = only(tell(alice, "phone_code"), "sms")
    Delivery.objects.filter(pk=code.pk).update(status="parked")
    client, ids = clerk(VIEW, RESEND), [str(row.pk) for row in (failed, letter, code)]
    ticked = {"action": "send_again", "select_across": "0", "_selected_action": ids}
    asked = client.post(LIST, ticked).content.decode()
    assert all(f'name="_selected_action" value="{pk}"' in asked for pk in ids)
    assert not Resend.objects.exists(), "nothing without a reason"
    said = client.post(LIST, {**ticked, "why": "provider"}, follow=True).content.decode()
    assert "2 put back to be sent." in said and "1 not sent: Codes and links" in said
    assert set(Resend.objects.values_list("delivery", flat=True)) == {failed.pk, letter.pk}
