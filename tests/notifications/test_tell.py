"""Telling is a row in the caller's transaction: once, owed, sealed."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Customer
from notifications import flows
from notifications.messages import CATALOGUE
from notifications.models import Delivery, Event


def test_a_message_is_one_event_and_a_delivery_for_each_channel(alice, tell):
    event = tell(alice, "invoice_issued", about="invoice:1405-000012")
    assert (event.purpose, event.language, event.key) == ("money", "en", "invoice_issued:invoice:1405-000012")
    assert {(d.channel, d.lane, d.status, d.recipient) for d in event.deliveries.all()} == {
        ("email", "money", "queued", "alice@example.com"),
        ("sms", "money", "queued", "+989121110001"),
    }


def test_told_twice_is_told_once(alice, tell):
    first, second = tell(alice, "password_changed"), tell(alice, "password_changed")
    assert first.pk == second.pk and Delivery.objects.count() == 2


def test_what_is_rolled_back_was_never_told(alice):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        flows.tell(alice, "password_changed", about="account")
        raise ZeroDivisionError
    assert not Event.objects.exists()


def test_telling_outside_a_transaction_is_refused(dana):
    with pytest.raises(RuntimeError):
        flows.tell(dana, "password_changed", about="account")


def test_an_unknown_message_is_refused(alice, tell):
    with pytest.raises(KeyError), transaction.atomic():
        flows.tell(alice, "special_offer", about="x")


def test_a_missing_address_is_a_recorded_reason(alice, tell):
    Customer.objects.filter(pk=alice.pk).update(mobile=None)
    alice.refresh_from_db()
    deliveries = tell(alice, "password_changed").deliveries
    assert deliveries.get(channel="sms").status == "suppressed"
    assert deliveries.get(channel="sms").last_code == "no-address"
    assert deliveries.get(channel="email").status == "queued"


def test_another_address_overrides_that_channel_alone(alice, tell):
    event = tell(alice, "contact_changed", to={"email": "old@example.com"})
    assert {d.recipient for d in event.deliveries.all()} == {"old@example.com", "+989121110001"}


def test_a_channel_that_the_message_lacks_is_refused(alice, tell):
    with pytest.raises(ValueError, match="sms"):
        tell(alice, "confirm_email", to={"sms": "+989121110001"})


def test_the_address_stays_what_it_was_when_told(alice, tell):
    event = tell(alice, "password_changed")
    Customer.objects.filter(pk=alice.pk).update(email="new@example.com")
    assert event.deliveries.get(channel="email").recipient == "alice@example.com"


def test_codes_have_an_end(alice, tell):
    event = tell(alice, "phone_code")
    assert event.expires_at and 290 < (event.expires_at - timezone.now()).total_seconds() <= 300


def test_the_database_knows_no_purpose_of_advertising(alice, tell):
    event = tell(alice, "password_changed")
    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.filter(pk=event.pk).update(purpose="marketing")


def test_the_database_refuses_a_second_delivery_on_one_channel(alice, tell):
    event = tell(alice, "password_changed")
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.create(event=event, reader=alice, channel="sms", lane="money")


def test_no_word_stands_in_clear(alice, tell):
    event = tell(alice, "phone_code")
    with connection.cursor() as cursor:
        cursor.execute("SELECT e::text || d::text FROM notifications_event e JOIN notifications_delivery d ON true")
        (row,) = cursor.fetchone()
    assert str(event.pk) in row and "482913" not in row and "9121110001" not in row


def test_telling_costs_three_statements(alice, django_assert_num_queries):
    with transaction.atomic(), django_assert_num_queries(3):
        flows.tell(alice, "password_changed", about="account")


def test_every_code_is_forgotten_and_ends():
    for message in CATALOGUE.values():
        assert bool(message.secrets) == bool(message.expires_in), message.name
        assert not message.sms_template or message.secrets == ("code",)
