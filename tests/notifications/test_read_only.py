"""PostgreSQL takes no writes (a stand-by, a full disk): pages are read, forms are refused in words, nothing leaves."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client

from notifications import flows
from notifications.models import Delivery, Ticket


@pytest.fixture
def read_only(transactional_db: None) -> Iterator[None]:
    """As on a stand-by: every transaction of this connection may only read."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = off")


def begin() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")


@pytest.fixture
def client(dana) -> Client:
    client = Client(headers={"accept-language": "en"}, raise_request_exception=False)
    client.force_login(dana)
    return client


def test_pages_are_read(read_only, client):
    begin()
    for path in ("/", "/invoices/", "/messages/", "/tickets/", "/devices/", "/profile/"):
        assert client.get(path).status_code == 200, path


@pytest.mark.parametrize("language", ["fa", "en"])
def test_a_form_is_refused_in_words(read_only, client, language):
    page = client.get("/tickets/new/")
    token = page.context["form"]["token"].value()
    begin()
    response = client.post(
        "/tickets/new/",
        {"subject": "Slow", "text": "Since this morning", "token": token},
        headers={"accept-language": language},
    )
    assert response.status_code == 503 and response.headers["Retry-After"]
    assert not Ticket.objects.exists()


def test_nothing_is_sent_that_cannot_be_written_down(read_only, dana, tell, joined):
    ways = list(tell(dana, "password_changed").deliveries.all())
    begin()
    for way in ways:
        with pytest.raises(Exception, match="read-only"):
            flows.deliver(way.pk)
    assert not joined.sms() and not joined.mail()
    assert {way.status for way in Delivery.objects.all()} == {Delivery.Status.QUEUED}
