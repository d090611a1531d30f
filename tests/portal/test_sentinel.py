"""With a wrong key, no key or one key too few the portal refuses to start in one line, and changes nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection

from portal.models import Sentinel
from portal.sealed.sentinel import WrongKeys, guard
from tests.base import database_url, make_customer

NEW = {"PII_KEYS": "k2:" + "2" * 64, "PII_INDEX_KEYS": "i2:" + "3" * 64}
STARTS = {
    "command": ["manage.py", "shell", "--no-imports", "-c", "pass"],
    "relay": ["manage.py", "relay"],
    "web": ["-m", "gunicorn", "portal.wsgi", "--bind", "127.0.0.1:0", "--workers", "1"],
    "worker": ["-m", "celery", "-A", "portal.celery", "worker", "-Q", "default", "--concurrency", "1"],
}


def start(how: str, **changed: str | None) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "DATABASE_URL": database_url(), **changed}
    given = {name: value for name, value in env.items() if value is not None}
    return subprocess.run([sys.executable, *STARTS[how]], env=given, capture_output=True, text=True, timeout=60)


def everything() -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}" ORDER BY 1')  # noqa: S608
            found[table] = cursor.fetchall()
    return found


@pytest.fixture
def turned(transactional_db: None) -> dict[str, str]:
    """A database under two keys of each kind: the newest first."""
    Sentinel.objects.all().delete()  # a test that commits may have left its own
    guard()
    make_customer("alice@example.com", "+989121110001")
    both = {name: f"{key} {getattr(django_settings, name)}" for name, key in NEW.items()}
    assert start("command", **both).returncode == 0
    return both


def wrong(both: dict[str, str], name: str) -> dict[str, tuple[str | None, str]]:
    """Lists of keys that must not start, and a word of the answer."""
    newest, older = both[name].split(" ", 1)
    return {
        "none": (None, f"{name} is not set"),
        "empty": ("", f"{name} is not set"),
        "the newest missing": (older, f"{name} lacks the key {newest[:2]}"),
        "an older one missing": (newest, f"{name} lacks the key {older[:2]}"),
        "another under the same id": (f"{newest[:3]}{'e' * 64} {older}", f"{name} holds another key under the id"),
        "strangers": ("k9:" + "9" * 64, f"{name} lacks the key"),
    }


@pytest.mark.parametrize("name", NEW)
def test_a_command_with_wrong_keys_says_so_in_one_line_and_changes_nothing(turned, name):
    before = everything()
    for what, (keys, words) in wrong(turned, name).items():
        done = start("command", **{**turned, name: keys})
        assert done.returncode != 0, what
        assert done.stderr.startswith(f"refused to start: {words}") and done.stderr.count("\n") == 1, (
            what,
            done.stderr,
        )
        assert not any(key.partition(":")[2] in done.stderr for key in (keys or "-:-").split()), what
    assert everything() == before
    assert start("command", **turned).returncode == 0


@pytest.mark.parametrize("how", ["relay", "web", "worker"])
def test_no_process_starts_with_one_key_too_few(turned, how):
    before = everything()
    done = start(how, **{**turned, "PII_KEYS": NEW["PII_KEYS"]})
    assert done.returncode != 0 and "refused to start: PII_KEYS lacks the key k1" in done.stderr
    assert "Traceback" not in done.stderr and everything() == before


def test_a_key_that_is_only_read_along_binds_nobody(transactional_db):
    Sentinel.objects.all().delete()
    old = django_settings.PII_KEYS
    assert start("command", PII_KEYS=f"{old} {NEW['PII_KEYS']}").returncode == 0
    assert start("command", PII_KEYS=old).returncode == 0
    assert set(Sentinel.objects.filter(setting="PII_KEYS").values_list("kid", flat=True)) == {"k1"}


@pytest.mark.django_db(transaction=True)
def test_after_retiring_the_portal_starts_without_the_key(alice, settings):
    old = settings.PII_KEYS
    settings.PII_KEYS = f"{NEW['PII_KEYS']} {old}"
    guard()
    call_command("pii_keys", "rotate", "--jobs", "1")
    settings.PII_KEYS = NEW["PII_KEYS"]
    with pytest.raises(WrongKeys, match="pii_keys retire k1"):
        guard()
    settings.PII_KEYS = f"{NEW['PII_KEYS']} {old}"
    call_command("pii_keys", "retire", "k1", "--jobs", "1")
    settings.PII_KEYS = NEW["PII_KEYS"]
    guard()
    assert alice.__class__.objects.get(email="alice@example.com").mobile == "+989121110001"


def test_the_row_of_a_key_tells_nothing_of_it(db):
    row = Sentinel.objects.get(setting="PII_KEYS")
    assert row.kid == "k1" and row.fingerprint.hex not in django_settings.PII_KEYS


def test_keys_come_from_a_file_that_only_its_owner_reads(transactional_db, tmp_path: Path):
    file = tmp_path / "keys"
    file.write_text(f"{django_settings.PII_KEYS}\n")
    given = {
        "PII_KEYS": None,
        "PII_KEYS_PROVIDER": "portal.sealed.providers.from_file",
        "PII_KEYS_FILE": str(file),
    }
    file.chmod(0o640)
    refused = start("command", **given)
    assert refused.stderr == "refused to start: PII_KEYS_PROVIDER gave no keys (PermissionError)\n"
    file.chmod(0o600)
    assert start("command", **given).returncode == 0
    for wrong_way in ({"PII_KEYS_FILE": str(tmp_path / "none")}, {"PII_KEYS_PROVIDER": "portal.nothing.here"}):
        done = start("command", **{**given, **wrong_way})
        assert (
            done.stderr.startswith("refused to start: PII_KEYS_PROVIDER gave no keys") and done.stderr.count("\n") == 1
        )
