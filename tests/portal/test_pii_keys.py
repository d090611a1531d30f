"""Keys are turned while customers save, and nothing is lost; a key that is needed cannot be retired."""

import json
import os
import subprocess
import sys
import threading

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections

from accounts.models import Customer
from portal.sealed import rotation
from portal.sealed.keys import ring
from portal.sealed.sessions import SessionStore
from tests.base import database_url, make_customer

# Writers have connections of their own, which see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)
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


def test_every_sealed_column_is_known_sessions_too():
    names = {table.place(field) for table in rotation.tables() for field in table.fields}
    assert {"accounts_customer.email", "account_emailaddress.email", "django_session.session_data"} <= names
    assert {"notifications_event.context", "notifications_delivery.recipient", "devices_signin.network"} <= names


@pytest.fixture
def session(db) -> SessionStore:
    session = SessionStore()
    session["kept"] = "yes"
    session.save()
    return session


def test_after_a_rotation_the_old_key_is_needed_no_more(alice, session, turned, settings, capsys):
    assert ask(capsys, "status")["accounts_customer.email"] == {"k1": 1}
    with pytest.raises(CommandError, match="under older keys"):
        call_command("pii_keys", "verify")
    with pytest.raises(CommandError, match=r"values may still need k1: run `pii_keys rotate`"):
        call_command("pii_keys", "retire", "k1")
    with pytest.raises(CommandError, match=r"values may still need i1: run `pii_keys reindex`"):
        call_command("pii_keys", "retire", "i1")
    assert ask(capsys, "rotate")["sealed anew"] == 4  # e-mail and mobile, allauth's e-mail, the session
    assert ask(capsys, "rotate")["sealed anew"] == 0  # twice is once
    ask(capsys, "reindex")
    assert ask(capsys, "verify")["under older keys"] == 0
    assert "k1" in ask(capsys, "retire", "k1")
    assert "i1" in ask(capsys, "retire", "i1")
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


def test_a_save_between_reading_and_writing_wins(alice, bob, settings, monkeypatch, capsys):
    Customer.objects.filter(pk__in=[alice.pk, bob.pk]).update(surname="before")
    settings.PII_KEYS = f"{NEW} {settings.PII_KEYS}"
    write = rotation._write

    def slowly(model, *args):  # somebody saves just before the batch is written
        if model is Customer and Customer.objects.get(pk=alice.pk).surname == "before":
            Customer.objects.filter(pk=alice.pk).update(surname="saved meanwhile")
        return write(model, *args)

    monkeypatch.setattr(rotation, "_write", slowly)
    ask(capsys, "rotate")
    assert Customer.objects.get(pk=alice.pk).surname == "saved meanwhile"
    assert ask(capsys, "verify")["under older keys"] == 0  # her other values were read and sealed once more


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


def test_a_token_in_another_place_is_found(alice, bob, capsys):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_customer SET mobile = (SELECT mobile FROM accounts_customer WHERE id = %s) WHERE id = %s",
            [alice.pk, bob.pk],
        )
    with pytest.raises(CommandError, match='"sealed for another place": 1'):
        call_command("pii_keys", "verify")


def test_two_operators_do_not_turn_keys_at_once(transactional_db, settings):
    with psycopg.connect(database_url()) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [rotation.LOCK])
        with pytest.raises(CommandError, match="somebody else turns the keys"):
            call_command("pii_keys", "rotate")


def test_a_killed_rotation_goes_on_where_it_was(settings, monkeypatch, capsys):
    for n in range(30):
        make_customer(f"p{n}@example.com", f"+98913000{n:04d}")
    settings.PII_KEYS = f"{NEW} {settings.PII_KEYS}"
    monkeypatch.setattr(rotation, "BATCH", 10)
    note, noted = rotation._note, []

    def killed(kid, table, pk):  # the machine goes away after the first ten customers
        note(kid, table, pk)
        noted.append(table.name)
        if noted.count("accounts_customer") == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(rotation, "_note", killed)
    with pytest.raises(KeyboardInterrupt):
        call_command("pii_keys", "rotate")
    assert sum(ask(capsys, "status")["accounts_customer.email"].values()) == 30, "each value opens with one of the keys"
    monkeypatch.setattr(rotation, "_note", note)
    read, seen = rotation._block, []

    def count(table, *args, **options):
        block = read(table, *args, **options)
        seen.append(block.rows if table.name == "accounts_customer" else 0)
        return block

    monkeypatch.setattr(rotation, "_block", count)
    ask(capsys, "rotate")
    assert sum(seen) == 10, "the twenty that were noted are not read again"
    assert ask(capsys, "verify")["under older keys"] == 0


def test_the_bar_is_for_terminals_and_json_is_json_alone(transactional_db, alice):
    env = os.environ | {"DATABASE_URL": database_url()}
    command = [sys.executable, "manage.py", "pii_keys", "status", "--json"]
    out = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    assert json.loads(out.stdout)["PII_KEYS"] and "accounts_customer: " in out.stderr
    control, terminal = os.openpty()
    shown = subprocess.Popen([*command, "--jobs", "1"], stdout=subprocess.PIPE, stderr=terminal, env=env)
    shown.communicate()
    os.close(terminal)
    assert b"accounts_customer " in os.read(control, 65536)
    os.close(control)


def test_no_key_is_derived_for_what_is_not_listed():
    with pytest.raises(LookupError, match="purposes"):
        ring().derive("something else")
