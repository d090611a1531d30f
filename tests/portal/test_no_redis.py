"""No page waits for Redis, and what a customer does without it is kept."""

import pytest
from django.core.cache import cache

from notifications.models import Delivery, Event, Ticket
from portal.celery import app


@pytest.fixture
def redis_away():
    """Nothing listens where the broker should be."""
    before = app.conf.broker_url
    app.conf.broker_url = "redis://127.0.0.1:1/0"
    app.pool.force_close_all()
    yield
    app.conf.broker_url = before
    app.pool.force_close_all()


def test_a_ticket_written_without_redis_is_kept_and_will_be_told(redis_away, alice_client, alice):
    page = alice_client.get("/tickets/new/")
    token = page.context["form"]["token"].value()
    response = alice_client.post("/tickets/new/", {"subject": "Slow", "text": "Since this morning", "token": token})
    assert response.status_code == 302
    assert Ticket.objects.get(customer=alice).subject == "Slow"
    event = Event.objects.get(customer=alice, message="ticket_opened")
    assert {d.status for d in event.deliveries.all()} == {Delivery.Status.QUEUED}


def test_every_page_answers_without_redis(redis_away, alice_client):
    for path in ("/", "/profile/", "/invoices/", "/messages/", "/tickets/", "/devices/", "/policy/"):
        assert alice_client.get(path).status_code == 200


def test_nobody_pushes_a_rate_limit_out_by_making_many(db):
    """Django's own limit is 300 entries, and beyond it the living ones go with the dead."""
    keys = [f"limit {number}" for number in range(320)]
    for key in keys:
        cache.set(key, [1.0], 300)
    assert len(cache.get_many(keys)) == len(keys)
