"""The outside world joined to this room, and what each message needs to be said."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Customer
from notifications import flows
from notifications.channels import kavenegar
from notifications.models import Delivery, Event
from tests.base import make_customer
from tests.world_client import World

SAMPLES: dict[str, dict[str, Any]] = {
    "phone_code": {"code": "482913"},
    "confirm_email": {"url": "http://127.0.0.1:8000/accounts/confirm-email/Mk:secret/"},
    "account_exists": {},
    "password_reset": {"url": "http://127.0.0.1:8000/accounts/password/reset/key/secret/"},
    "password_changed": {},
    "contact_changed": {"what": "email"},
    "new_device": {"device": "Firefox on Linux", "at": "2026-11-23T10:00:00+00:00", "url": "http://127.0.0.1:8000/d/"},
    "photo_id_approved": {"reason": "", "url": "http://127.0.0.1:8000/profile/photo-id/"},
    "photo_id_refused": {"reason": "Too dark", "url": "http://127.0.0.1:8000/profile/photo-id/"},
    "invoice_issued": {
        "number": "1405-000012",
        "total": 1_320_000,
        "due_on": "2026-12-01",
        "url": "http://127.0.0.1:8000/invoices/1405-000012/",
    },
    "payment_received": {
        "number": "1405-000012",
        "amount": 1_320_000,
        "receipt": "740012345678",
        "at": "2026-11-23T10:00:00+00:00",
        "url": "http://127.0.0.1:8000/invoices/1405-000012/",
    },
    "payment_not_applied": {
        "number": "1405-000012",
        "amount": 1_320_000,
        "url": "http://127.0.0.1:8000/invoices/1405-000012/",
    },
    "service_activated": {"name": "Hosting <S>", "url": "http://127.0.0.1:8000/services/x/"},
    "ticket_opened": {"number": "10001", "subject": "My <b>site</b>\n is slow", "url": "http://127.0.0.1:8000/t/"},
    "ticket_answered": {"number": "10001", "subject": "My site", "url": "http://127.0.0.1:8000/t/"},
    "ticket_closed": {"number": "10001", "subject": "My site", "url": "http://127.0.0.1:8000/t/"},
    "policy_published": {"version": 2, "effective": "2026-12-23T20:30:00+00:00", "url": "http://127.0.0.1:8000/p/"},
}

Tell = Callable[..., Event]


@pytest.fixture
def tell() -> Tell:
    """Tell a customer a message of the catalogue with sample words."""

    def say(customer: Customer, message: str, **options: Any) -> Event:
        options = {"about": "test:1", "context": SAMPLES[message], **options}
        with transaction.atomic():
            return flows.tell(customer, message, **options)

    return say


@pytest.fixture
def joined(world: World, settings: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    """The outside world with empty books; a lost answer is waited for half a second only."""
    world.reset()
    settings.KAVENEGAR = {**settings.KAVENEGAR, "api_url": f"{world.url}/kavenegar", "api_key": "canary-key-7391"}
    settings.SMTP = {"host": "127.0.0.1", "port": world.smtp_port, "user": "", "password": "", "tls": False}
    monkeypatch.setattr(kavenegar, "TIMEOUT", (1, 0.5))
    return world


@pytest.fixture
def dana(transactional_db: None) -> Customer:
    """A customer whose rows are really committed, as sending needs."""
    return make_customer("dana@example.com", "+989121110009", language="en")


def only(event: Event, channel: str) -> Delivery:
    return event.deliveries.get(channel=channel)


def due_now(delivery: Delivery) -> Delivery:
    """Time passes until its next turn."""
    Delivery.objects.filter(pk=delivery.pk).update(not_before=timezone.now())
    return Delivery.objects.get(pk=delivery.pk)


def lease_runs_out(delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))
