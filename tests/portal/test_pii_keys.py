"""Keys are turned while customers save, and nothing is lost; a key that is needed cannot be retired."""

import json
import subprocess
import sys
import threading

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections

from accounts.models import Customer
from portal.sealed import rotation
from portal.sealed.sessions import SessionStore
from tests.base import make_customer

NEW, NEW_INDEX = "k2:" + "2" * 64, "i2:" + "3" * 64


def ask(capsys, *words: str) -> dict:
    call_command("pii_keys", *words, "--json")
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def turned(settings):
    """The new keys first, the old ones behind: step two of a rotation."""
    old = settings.PII_KEYS
    settings.PII_KEYS = f"{NEW} {settings.PII_KEYS}"
    settings.PII_INDEX_KEYS = f"{NEW_INDEX} {settings.PII_INDEX_KEYS}"
    return old


def test_generate_prints_a_key_where_there_are_no_settings():
    out = subprocess.run([sys.executable, "manage.py", "pii_keys", "generate"], capture_output=True, text=True, env={})
    assert out.returncode == 0 and len(bytes.fromhex(out.stdout.strip())) == 32


def test_every_sealed_column_is_known_sessions_and_sentinel_too():
    names = {column.name for column in rotation.columns()}
    assert {"accounts_customer.email", "account_emailaddress.email", "django_session.session_data"} <= names
    assert {"portal_sentinel.token", "notifications_event.context", "notifications_delivery.recipient"} <= names


def test_after_a_rotation_the_old_key_is_needed_no_more(alice, turned, settings, capsys):
    session = SessionStore()
    session["kept"] = "yes"
    session.save()
    assert ask(capsys, "status")["accounts_customer.email"] == {"k1": 1}
    with pytest.raises(CommandError, match="under older keys"):
        call_command("pii_keys", "verify")
    with pytest.raises(CommandError, match="sealed under k1"):
        call_command("pii_keys", "retire", "k1")
    assert ask(capsys, "rotate")["sealed anew"] >= 4
    assert ask(capsys, "rotate")["sealed anew"] == 0  # twice is once
    ask(capsys, "reindex")
    assert ask(capsys, "verify")["under older keys"] == 0
    assert "k1" in ask(capsys, "retire", "k1")
    settings.PII_KEYS, settings.PII_INDEX_KEYS = NEW, NEW_INDEX
    assert Customer.objects.get(email="alice@example.com").mobile == "+989121110001"
    assert SessionStore(session.session_key)["kept"] == "yes"


def test_a_value_that_no_key_opens_stops_the_rotation_and_is_counted(alice, turned, capsys):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_customer SET name = 'plain' WHERE id = %s", [alice.pk])
    with pytest.raises(CommandError, match=r"accounts_customer\.name holds a value that no key opens"):
        call_command("pii_keys", "rotate")
    with pytest.raises(CommandError, match='"opened by no key": 1'):
        call_command("pii_keys", "verify")


def test_an_index_that_drifted_is_found_and_mended(alice, bob, capsys):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_customer SET email_bi = gen_random_uuid() WHERE id = %s", [alice.pk])
    with pytest.raises(CommandError, match='"wrong indexes": 1'):
        call_command("pii_keys", "verify")
    assert ask(capsys, "reindex") == {"indexes mended": 1}
    assert Customer.objects.get(email="alice@example.com") == alice


@pytest.mark.parametrize("wrong", [None, "k1", "k7"])
def test_the_newest_key_and_an_unknown_one_cannot_be_retired(db, wrong):
    with pytest.raises(CommandError, match="older key"):
        call_command("pii_keys", *filter(None, ["retire", wrong]))


def test_a_save_between_reading_and_writing_wins(alice, settings, monkeypatch, capsys):
    Customer.objects.filter(pk=alice.pk).update(surname="before")
    settings.PII_KEYS = f"{NEW} {settings.PII_KEYS}"
    seal_again = rotation._again

    def slowly(every, column, token):  # somebody saves just after the row was read
        if column.name == "accounts_customer.surname":
            Customer.objects.filter(pk=alice.pk).update(surname="saved meanwhile")
        return seal_again(every, column, token)

    monkeypatch.setattr(rotation, "_again", slowly)
    ask(capsys, "rotate")
    assert Customer.objects.get(pk=alice.pk).surname == "saved meanwhile"


@pytest.mark.django_db(transaction=True)
def test_a_save_during_the_rotation_wins(settings, monkeypatch, capsys):
    people = [make_customer(f"p{n}@example.com", f"+98913000{n:04d}", name="before") for n in range(40)]
    settings.PII_KEYS = f"{NEW} {settings.PII_KEYS}"
    monkeypatch.setattr(rotation, "BATCH", 7)
    stop = threading.Event()
    written: dict = {}

    def save_on() -> None:
        try:
            count = 0
            while not stop.is_set():
                person = people[count % len(people)]
                Customer.objects.filter(pk=person.pk).update(name=f"after {count}")
                written[person.pk] = f"after {count}"
                count += 1
        finally:
            connections.close_all()

    writer = threading.Thread(target=save_on)
    writer.start()
    try:
        turned = [ask(capsys, "rotate")["sealed anew"] for _ in range(3)]
    finally:
        stop.set()
        writer.join()
    assert turned[0] >= 2 * len(people), "e-mail and mobile of each stood under the old key"
    assert len(written) == len(people)
    assert {row.pk: row.name for row in Customer.objects.all()} == written
    assert ask(capsys, "verify")["under older keys"] == 0
