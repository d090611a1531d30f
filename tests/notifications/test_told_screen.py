"""What one customer was told, for whoever has that customer on the phone."""

import datetime as dt

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import flows
from notifications.admin.told import AT_ONCE
from notifications.models import Delivery, Event
from tests.base import show_second_factor
from tests.notifications.base import only


def page(customer, number: int = 1) -> str:
    return f"/admin/notifications/event/of/{customer.ref}/?page={number}"


def seen(client: Client, customer, number: int = 1, **headers: str) -> str:
    response = client.get(page(customer, number), headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def test_each_message_with_its_ways_and_what_became_of_them(alice, bob, carol_client, tell):
    way = only(tell(alice, "invoice_issued"), "sms")
    Delivery.objects.filter(pk=way.pk).update(status="blocked", last_code="14", carrier="kavenegar", tries=2)
    tell(bob, "exported", about="test:of-bob")
    words = seen(carol_client, alice)
    assert "Blocked at the operator" in words and "advertising is blocked at the receiver" in words
    assert "2 tries" in words and "Waiting to be sent" in words and "test:1" in words
    assert f"/admin/notifications/delivery/{way.pk}/change/" in words and "test:of-bob" not in words


def test_no_word_and_no_address_is_shown(alice, carol_client, tell):
    for message in ("phone_code", "invoice_issued", "ticket_opened"):
        tell(alice, message)
    words = seen(carol_client, alice)
    for secret in ("482913", "alice@example.com", "9121110001", "1405-000012", "My site", "is slow"):
        assert secret not in words


def test_no_word_and_no_address_is_even_read(alice, carol_client, tell):
    tell(alice, "invoice_issued")
    with CaptureQueriesContext(connection) as queries:
        seen(carol_client, alice)
    read = " ".join(query["sql"] for query in queries)
    assert '"notifications_event"."context"' not in read and '"notifications_delivery"."recipient"' not in read


def test_what_was_sent_again_says_by_whom_and_why(alice, carol, carol_client, tell):
    way = only(tell(alice, "password_changed"), "sms")
    Delivery.objects.filter(pk=way.pk).update(status="parked")
    flows.send_again(delivery=way, by=carol, why="provider")
    words = seen(carol_client, alice)
    assert "Sent again by" in words and carol.ref in words and "The provider was at fault" in words


def test_calls_stand_in_the_same_line_each_on_one_page(alice, bob, carol_client, tell):
    now = timezone.now()
    for n in range(AT_ONCE + 5):
        tell(alice, "password_changed", about=f"test:{n}")
        Event.objects.filter(about=f"test:{n}").update(at=now - dt.timedelta(hours=n + 1))
    for hours in (0, 3.5, AT_ONCE + 0.5, 100):
        call = flows.ask_for_call(customer=alice, number="mobile", reason="service_down", why="It is down", by=bob)
        type(call).objects.filter(pk=call.pk).update(asked_at=now - dt.timedelta(hours=hours))
    first, second = seen(carol_client, alice), seen(carol_client, alice, 2)
    assert (first.count("Call: A service is down"), second.count("Call: A service is down")) == (2, 2)
    assert "test:0<" in first and "test:0<" not in second and f"test:{AT_ONCE}<" in second
    assert "It is down" not in first + second
    assert first.index("test:2<") < first.rindex("Call: A service is down") < first.index("test:3<")


@pytest.mark.parametrize("rights", [("view_event",), ("view_customer", "view_delivery"), ()])
def test_it_needs_the_right_to_see_messages_and_calls_that_to_see_calls(alice, bob, erin, tell, rights):
    flows.ask_for_call(customer=alice, number="mobile", reason="service_down", why="It is down", by=bob)
    erin.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client(headers={"accept-language": "en"})
    client.force_login(erin)
    show_second_factor(client, erin)
    response = client.get(page(alice))
    assert response.status_code == (200 if "view_event" in rights else 403)
    assert "A service is down" not in response.content.decode()


def test_it_is_linked_from_the_customer_and_from_the_message(alice, carol_client, tell):
    event = tell(alice, "password_changed")
    for path in (f"accounts/customer/{alice.pk}", f"notifications/event/{event.pk}"):
        assert (
            f"/admin/notifications/event/of/{alice.ref}/" in carol_client.get(f"/admin/{path}/change/").content.decode()
        )


def test_nobody_of_that_reference_is_not_found(carol_client):
    assert carol_client.get("/admin/notifications/event/of/nobody/").status_code == 404


def test_more_messages_take_no_more_queries(alice, carol, carol_client, tell):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            seen(carol_client, alice)
        return len(queries)

    def told(about: str) -> None:
        way = only(tell(alice, "password_changed", about=about), "sms")
        Delivery.objects.filter(pk=way.pk).update(status="parked")
        flows.send_again(delivery=way, by=carol, why="asked")

    told("test:one")
    few = count()
    for n in range(10):
        told(f"test:{n}")
    assert count() == few


def test_it_speaks_persian(alice, carol_client, tell):
    way = only(tell(alice, "password_changed"), "sms")
    Delivery.objects.filter(pk=way.pk).update(status="blocked", last_code="14", carrier="kavenegar")
    carol_client.cookies["django_language"] = "fa"
    words = seen(carol_client, alice, **{"accept-language": "fa"})
    assert 'dir="rtl"' in words and "اپراتور" in words and "advertising is blocked" not in words
