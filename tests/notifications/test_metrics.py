"""/metrics: for Prometheus and operators alone, and it names nobody."""

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from notifications import flows
from notifications.models import Delivery, Preference
from tests.base import make_customer


def read(client, **headers):
    return client.get("/metrics", headers=headers)


def figures(response):
    """name → labels → value, as Prometheus' own parser reads them."""
    families = text_string_to_metric_families(response.content.decode())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


@pytest.fixture
def token(settings):
    settings.METRICS_TOKEN = "t" * 32
    return settings.METRICS_TOKEN


def test_prometheus_reads_by_its_token(db, token):
    response = read(Client(), authorization=f"Bearer {token}")
    assert response.status_code == 200 and response.headers["Content-Type"].startswith("text/plain")
    assert ("portal_outbox_waiting", "codes") in figures(response)


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer wrong", "Basic dDp0"])
def test_a_wrong_token_reads_nothing(db, token, given):
    assert read(Client(), authorization=given).status_code == 403


def test_an_unset_token_opens_for_no_bearer(db, settings):
    settings.METRICS_TOKEN = ""
    assert read(Client(), authorization="Bearer ").status_code == 403


def test_a_customer_cannot_read_it(alice_client):
    assert read(alice_client).status_code == 403


def test_what_waits_what_hangs_and_what_is_held_is_counted(alice, token, tell):
    Preference.objects.create(reader=alice, quiet_from=dt.time(0), quiet_until=dt.time(0))
    for n in range(3):
        tell(alice, "ticket_answered", about=f"ticket:{n}")
    rows = list(Delivery.objects.order_by("pk"))
    long_ago = timezone.now() - dt.timedelta(minutes=10)
    Delivery.objects.filter(pk=rows[0].pk).update(not_before=long_ago)
    Delivery.objects.filter(pk=rows[1].pk).update(status=Delivery.Status.PARKED)
    Delivery.objects.filter(pk=rows[2].pk).update(not_before=timezone.now() + dt.timedelta(hours=1))
    found = figures(read(Client(), authorization=f"Bearer {token}"))
    lane = ("tickets",)
    assert found["portal_outbox_waiting", *lane] == 4
    assert found["portal_outbox_later", *lane] == 1
    assert found["portal_outbox_parked", *lane] == 1
    assert 600 <= found["portal_outbox_oldest_seconds", *lane] < 660
    assert found["portal_outbox_waiting", "codes"] == 0


def test_what_left_is_counted_with_its_speed(dana, joined, tell, settings):
    settings.METRICS_TOKEN = "t" * 32
    for delivery in tell(dana, "password_changed").deliveries.all():
        flows.deliver(delivery.pk)
    found = figures(read(Client(), authorization=f"Bearer {settings.METRICS_TOKEN}"))
    assert found["portal_outbox_accepted_last_hour", "money"] == 2
    assert 0 < found["portal_outbox_accepted_seconds_p95", "money"] < 60
    assert ("portal_outbox_accepted_seconds_p95", "codes") not in found


def test_nobody_is_named(db, token, tell):
    mobile = "+989121110077"
    tell(make_customer("nobody@example.com", mobile), "password_changed")
    words = read(Client(), authorization=f"Bearer {token}").content.decode()
    assert "nobody@" not in words and mobile[-7:] not in words
