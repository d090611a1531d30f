"""Fixtures that every room shares."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client

from accounts.models import Customer
from tests.base import make_customer, show_second_factor


@pytest.fixture(autouse=True)
def plain_static_files(settings: object, tmp_path: Path) -> None:
    """Pages name their static files without a manifest, and sealed files go to a folder of this test."""
    settings.STORAGES = {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "media"},
        },
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def quick_passwords(settings: object) -> None:
    """The real hash costs 0.3 s a sign-in; the browser tests keep it."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session", autouse=True)
def static_folder() -> None:
    """WhiteNoise warns when its folder is missing."""
    Path(django_settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture
def alice(db: None) -> Customer:
    return make_customer("alice@example.com", "+989121110001", language="en")


@pytest.fixture
def bob(db: None) -> Customer:
    return make_customer("bob@example.com", "+989121110002", language="fa")


@pytest.fixture
def carol(db: None) -> Customer:
    return make_customer("carol@example.com", "+989121110003", language="en", is_staff=True, is_superuser=True)


def _client(customer: Customer) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(customer)
    if customer.is_staff:
        show_second_factor(client, customer)
    return client


@pytest.fixture
def alice_client(alice: Customer) -> Client:
    return _client(alice)


@pytest.fixture
def bob_client(bob: Customer) -> Client:
    return _client(bob)


@pytest.fixture
def carol_client(carol: Customer) -> Client:
    return _client(carol)


@pytest.fixture
def anyone() -> Client:
    """Somebody who is not signed in, reading English."""
    return Client(headers={"accept-language": "en"})


@pytest.fixture(scope="session")
def world() -> Iterator[object]:
    """The desk-top outside world, a process of its own (portal/local/world)."""
    from tests.world_client import World

    world = World()
    world.start()
    yield world
    world.stop()
