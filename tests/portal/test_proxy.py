"""Behind a proxy of ours, customers keep addresses of their own; nobody else's word about an address counts."""

import os
import subprocess
import sys

import pytest
from django.conf import settings as now

from devices.models import SignIn
from tests.base import PASSWORD

ASK = "import django; django.setup(); from django.conf import settings as s; print(s.ALLAUTH_TRUSTED_PROXY_COUNT)"


@pytest.mark.parametrize(("behind_proxy", "trusted"), [("true", "1"), ("false", "0")])
def test_one_setting_says_whether_a_proxy_speaks_for_the_customer(behind_proxy, trusted):
    env = os.environ | {"BEHIND_PROXY": behind_proxy, "DJANGO_SETTINGS_MODULE": "portal.settings"}
    asked = subprocess.run(
        [sys.executable, "-c", ASK], env=env, cwd=now.BASE_DIR, capture_output=True, text=True, check=True
    )
    assert asked.stdout.strip() == trusted


@pytest.mark.parametrize(("trusted", "network"), [(1, "203.0.113.0/24"), (0, "127.0.0.0/24")])
def test_the_address_is_the_proxys_word_and_not_the_browsers(settings, anyone, alice, trusted, network):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = trusted
    headers = {"x-forwarded-for": "6.6.6.6, 203.0.113.9"}
    anyone.post("/accounts/login/", {"login": "alice@example.com", "password": PASSWORD}, headers=headers)
    assert SignIn.objects.get().network == network
