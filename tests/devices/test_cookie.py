"""The cookie's name and flags on a public address."""

import os
import subprocess
import sys

ASK = """
import django; django.setup()
from uuid import uuid4
from django.http import HttpResponse
from devices import cookie
answer = HttpResponse()
cookie.write(answer, uuid4())
print(answer.cookies.output())
"""


def test_over_https_the_cookie_is_bound_to_this_host():
    environment = {
        **os.environ,
        "SITE_URL": "https://portal.example.com",
        "WORLD_URL": "",
        "EMAIL_URL": "smtp://mail:25",
    }
    environment |= {"DJANGO_SETTINGS_MODULE": "portal.settings", "GATEWAYS": ""}
    run = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.startswith("Set-Cookie: __Host-did=")
    for flag in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/"):
        assert flag in run.stdout
    assert "Domain" not in run.stdout
