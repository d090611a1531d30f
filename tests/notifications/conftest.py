"""Telling, the outside world joined to this room, and a customer whose rows are committed."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction

from accounts.models import Customer
from notifications import flows
from notifications.channels import smtp, wire
from notifications.models import Event, Preference
from notifications.models.wording import in_force
from tests.base import make_customer
from tests.notifications.base import OTHER_WORDS, SAMPLES
from tests.world_client import World

Tell = Callable[..., Event]


@pytest.fixture(autouse=True)
def words_in_force() -> Iterator[None]:
    """What another test published and took back is not remembered."""
    in_force.forget()
    yield
    in_force.forget()


@pytest.fixture
def tell() -> Tell:
    """Tell a customer a message of the catalogue with sample words."""

    def say(customer: Customer, message: str, **options: Any) -> Event:
        options = {"about": "test:1", "context": SAMPLES[message], **options}
        with transaction.atomic():
            return flows.tell(customer, message, **options)

    return say


@pytest.fixture
def joined(world: World, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The outside world with empty books and one company for SMS; a lost answer is waited for half a second only."""
    world.reset()
    settings.SMS_CARRIERS = ["kavenegar"]
    settings.SMSIR = {**settings.SMSIR, "api_url": f"{world.url}/smsir", "api_key": "canary-key-7392"}
    settings.KAVENEGAR = {**settings.KAVENEGAR, "api_url": f"{world.url}/kavenegar", "api_key": "canary-key-7391"}
    settings.SMTP = {"host": "127.0.0.1", "port": world.smtp_port, "user": "", "password": "", "tls": False}
    settings.BOUNCES = {"host": "127.0.0.1", "port": world.pop_port, "user": "b", "password": "p", "tls": False}
    monkeypatch.setattr(wire, "TIMEOUT", (1, 0.5))
    yield world
    with smtp.mailer(settings.SMTP, us="nobody") as mailer:  # the kept connection is another's, and so closed
        mailer.close()


@pytest.fixture
def dana(transactional_db: None) -> Customer:
    """A customer whose rows are really committed, as sending needs, and who has no quiet hours."""
    dana = make_customer("dana@example.com", "+989121110009", language="en")
    Preference.objects.create(reader=dana, quiet_from=dt.time(0), quiet_until=dt.time(0))
    return dana


@pytest.fixture
def erin(db):
    """A second member of staff."""
    return make_customer("erin@example.com", "+989121110005", language="en", is_staff=True)


@pytest.fixture
def draft(carol):
    return flows.draft_wording(message="invoice_issued", language="en", by=carol, **OTHER_WORDS)


@pytest.fixture
def published(draft, carol, erin):
    assert flows.propose_wording(wording=draft, by=carol) and flows.publish_wording(wording=draft, by=erin)
    in_force.forget()  # as it does itself once this is committed
    return draft
