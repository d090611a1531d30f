"""What the portal refuses to start with when its companies are named."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

REAL = {  # as on a real machine, without the outside world
    "WORLD_URL": "",
    "EMAIL_URL": "smtp://mail.example.com:587?tls=1",
    "KAVENEGAR_API_KEY": "canary-key",
    "SMSIR_API_KEY": "canary-key",
    "SMSIR_LINE": "30001",
}


def start(**more: str) -> str:
    """The settings' last word; empty when they are taken."""
    # What the tests' own machine says of the companies, such as where the outside world is, does not count.
    others = {name: value for name, value in os.environ.items() if not name.startswith(("WORLD_", "KAVENEGAR_"))}
    command = [sys.executable, "-c", "import django; django.setup()"]
    env = others | {"DJANGO_SETTINGS_MODULE": "portal.settings"} | REAL | more
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, timeout=60)
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"SMS_CARRIERS": "smsir", "KAVENEGAR_API_KEY": ""}, ""),
        ({"SMS_CARRIERS": "kavenegar,smsir", "SMSIR_API_URL": "http://127.0.0.1:9"}, ""),
        ({"SMS_CARRIERS": "smsir", "SMSIR_API_URL": "http://sms.example.com"}, "must be https"),
        ({"SMS_CARRIERS": "smsir", "SMSIR_API_KEY": ""}, "SMSIR_API_KEY is not set"),
        ({"SMS_CARRIERS": "kavenegar", "KAVENEGAR_API_KEY": ""}, "KAVENEGAR_API_KEY is not set"),
        ({"SMS_CARRIERS": "carrier-pigeon"}, "SMS_CARRIERS"),
        ({"KAVENEGAR_PUSH_SECRET": "short"}, "KAVENEGAR_PUSH_SECRET"),
        ({"BOUNCE_URL": "pop3://a:b@mail.example.com?tls=1"}, "BOUNCE_DOMAIN"),
        ({"BOUNCE_URL": "pop3://a:b@mail.example.com", "BOUNCE_DOMAIN": "b.example"}, "tls=1"),
        ({"BOUNCE_URL": "imap://a:b@mail.example.com", "BOUNCE_DOMAIN": "b.example"}, "BOUNCE_URL is written"),
        ({"BOUNCE_URL": "pop3://a:b@mail.example.com?tls=1", "BOUNCE_DOMAIN": "b.example"}, ""),
        ({"DKIM_KEY": "-----BEGIN PRIVATE KEY-----"}, "DKIM_SELECTOR is not set"),
    ],
)
def test_each_company_is_named_fully_or_refused(more, word):
    said = start(**more)
    assert word in said and bool(word) == bool(said) and "canary-key" not in said
