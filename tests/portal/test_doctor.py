"""The doctor finds what is wrong, says so in a line, and its exit code tells machines."""

import json

import pytest
from django.core.management import call_command


def examine(capsys) -> tuple[dict[str, dict], int]:
    code = 0
    try:
        call_command("doctor", "--json")
    except SystemExit as exit_:
        code = int(exit_.code or 0)
    report = json.loads(capsys.readouterr().out)
    assert report["well"] == (code == 0)
    return {row["check"]: row for row in report["checks"]}, code


@pytest.fixture
def outside(settings, world):
    """Mail, SMS and banks are those of the desk-top outside world."""
    world.reset()
    settings.SMTP = {"host": "127.0.0.1", "port": world.smtp_port, "user": "", "password": "", "tls": False}
    settings.KAVENEGAR = {**settings.KAVENEGAR, "api_url": f"{world.url}/kavenegar"}
    settings.SMSIR = {**settings.SMSIR, "api_url": f"{world.url}/smsir"}
    settings.GATEWAYS = ["sep"]
    settings.GATEWAY = {
        "sep": {"api_url": f"{world.url}/sep", "browser_url": f"{world.url}/sep", "terminal_id": "2015"}
    }
    return world


def test_what_is_well_is_said_to_be_well(db, outside, capsys):
    found, _code = examine(capsys)
    assert {name for name, row in found.items() if not row["well"]} <= {"workers"}  # none runs beside these tests
    assert set(found) >= {"database", "keys", "broker", "workers", "storage", "outbox", "mail", "sms", "banks", "money"}


def test_no_mail_server_no_bank_and_wrong_keys_are_each_found(db, outside, settings, capsys):
    settings.SMTP = {**settings.SMTP, "port": 1}
    settings.GATEWAY = {"sep": {**settings.GATEWAY["sep"], "api_url": "http://127.0.0.1:1/sep"}}
    settings.PII_KEYS = "k9:" + "9" * 64
    found, code = examine(capsys)
    assert code == 1
    for name in ("mail", "banks", "keys"):
        assert not found[name]["well"], name
    assert "PII_KEYS" in found["keys"]["says"] and "9999" not in found["keys"]["says"]


def test_little_credit_at_the_operator_is_found(db, outside, capsys):
    outside.credit(10)
    found, code = examine(capsys)
    assert code == 1 and not found["sms"]["well"] and "10" in found["sms"]["says"]


def test_nobody_taking_the_queues_is_found(db, outside, capsys):
    found, _code = examine(capsys)
    assert not found["workers"]["well"] and "no worker takes" in found["workers"]["says"]
