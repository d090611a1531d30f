"""The operators' screen: what waits in each lane, what hangs, what leaves, and how each provider fares."""

import datetime as dt
import re

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.models import Attempt, Carrier, Delivery
from tests.base import show_second_factor
from tests.notifications.base import only

SCREEN = "/admin/notifications/carrier/"


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def row(client: Client, name: str) -> str:
    """One lane's or provider's line of its table."""
    rows = client.get(SCREEN).content.decode().split("<tr>")
    return next(each for each in rows if f">{name}</th>" in each)


def since(way: Delivery, seconds: int, **changes: object) -> None:
    Delivery.objects.filter(pk=way.pk).update(not_before=timezone.now() - dt.timedelta(seconds=seconds), **changes)


def test_it_needs_its_right_and_asks_to_be_read_again(erin, carol_client, db):
    client = Client(headers={"accept-language": "en"})
    client.force_login(erin)
    show_second_factor(client, erin)
    assert client.get(SCREEN).status_code == 403
    erin.user_permissions.set(Permission.objects.filter(codename="view_carrier"))
    response = client.get(SCREEN)
    assert response.status_code == 200 and response.headers["Refresh"] == "10"


def test_what_waits_hangs_and_is_held_is_counted_by_lane(alice, carol_client, tell):
    for n, (status, wait) in enumerate([("queued", 12), ("queued", -600), ("unknown", 1), ("parked", 0)]):
        since(only(tell(alice, "phone_code", about=f"test:{n}"), "sms"), wait, status=status)
    # Its name, waiting, the oldest, later, being checked, held.
    assert text(row(carol_client, "Codes")).startswith("Codes 2 12 s 1 1 1")
    assert text(row(carol_client, "Broadcasts")).startswith("Broadcasts 0 – 0 0 0 0")
    page = text(carol_client.get(SCREEN).content.decode())
    assert "2 messages' turn has come" in page and "Held for our staff 1" in page


def test_what_left_in_the_last_hour_is_shown_with_its_speed(alice, carol_client, tell):
    way, now = only(tell(alice, "password_changed"), "sms"), timezone.now()
    way.event.at = now - dt.timedelta(minutes=10, seconds=20)
    way.event.save(update_fields=["at"])
    Delivery.objects.update(status="accepted")
    for minutes in (10, 61):
        at = now - dt.timedelta(minutes=minutes)
        Attempt.objects.create(delivery=way, n=1, started_at=at, finished_at=at, outcome="accepted", code="ok")
    line = row(carol_client, "Security and payment")
    assert text(line).endswith("1 20 s 20 s") and 'aria-label="Every five minutes, the last one last: ' in line
    assert line.count("<rect") == 12 and line.count("staff-rail") == 11


@pytest.mark.parametrize(("waits", "late"), [(4, False), (7, True)])
def test_a_late_lane_is_marked(alice, carol_client, tell, waits, late):
    since(only(tell(alice, "phone_code"), "sms"), waits)
    assert ("staff-bad" in row(carol_client, "Codes")) is late
    assert ("staff-tile-open" in carol_client.get(SCREEN).content.decode()) is late


def test_a_lane_that_may_wait_is_not_late_as_soon(alice, carol_client, tell):
    for way in tell(alice, "ticket_answered").deliveries.all():
        since(way, 200)
    assert "staff-bad" not in row(carol_client, "Tickets and invoices")


@pytest.mark.parametrize(
    ("fields", "words", "tone"),
    [
        ({}, "Working", "ok"),
        ({"failures": 3}, "Working", "ok"),
        ({"failures": 5, "down_until": 60}, "Left alone for now", "bad"),
        ({"failures": 5, "down_until": -60}, "The next message tries it", "off"),
        ({"out_of_credit_at": -60}, "Out of credit", "bad"),
    ],
)
def test_a_provider_says_how_it_fares_in_a_word_and_a_shape(carol_client, fields, words, tone):
    now = timezone.now()
    values = {k: v if k == "failures" else now + dt.timedelta(seconds=v) for k, v in fields.items()}
    Carrier.objects.update_or_create(slug="kavenegar", defaults={"channel": "sms", **values})
    line = row(carol_client, "kavenegar")
    assert words in line and f'class="staff-health staff-{tone}"><svg' in line


def test_credit_is_shown_where_it_is_known(carol_client):
    Carrier.objects.update_or_create(
        slug="kavenegar", defaults={"channel": "sms", "credit": 1_250_000, "credit_at": timezone.now()}
    )
    assert "1,250,000" in row(carol_client, "kavenegar")


def test_it_speaks_persian(alice, carol_client, tell):
    since(only(tell(alice, "phone_code"), "sms"), 7)
    Carrier.objects.update_or_create(slug="kavenegar", defaults={"channel": "sms"})
    page = carol_client.get(SCREEN, headers={"accept-language": "fa"}).content.decode()
    assert 'dir="rtl"' in page and "۷" in text(page)
    for english in ("Being checked", "Working", "Providers", "Lanes", "The oldest"):
        assert f">{english}" not in page and f"{english}</span>" not in page


def test_more_messages_take_no_more_queries(alice, carol_client, tell):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert carol_client.get(SCREEN).status_code == 200
        return len(queries)

    Carrier.objects.update_or_create(slug="kavenegar", defaults={"channel": "sms"})
    tell(alice, "password_changed")
    few = count()
    for n in range(10):
        tell(alice, "phone_code", about=f"test:{n}")
        Carrier.objects.update_or_create(slug=f"other{n}", defaults={"channel": "sms"})
    assert count() == few
