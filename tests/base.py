"""The cast: alice (customer), bob (another customer), carol (staff), and what each types."""

import base64
import hmac
import os
import struct
import time
from urllib.parse import urlsplit, urlunsplit

from allauth.account.internal.flows.login import _AUTHENTICATION_METHODS_USER_SESSION_KEY
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Customer

PASSWORD = "correct-horse-battery"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # of carol's authenticator app, base32


def make_customer(email: str, mobile: str, **fields: object) -> Customer:
    """A customer whose e-mail and mobile are verified."""
    customer = Customer.objects.create_user(
        email=email, password=PASSWORD, mobile=mobile, mobile_verified_at=timezone.now(), **fields
    )
    EmailAddress.objects.create(user=customer, email=email, verified=True, primary=True)
    return customer


def database_url() -> str:
    """The database of this test, for a process of its own."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))


def app_code(seed: str, at: float | None = None) -> str:
    """What an authenticator app shows (RFC 6238: SHA-1, 30 seconds, 6 digits)."""
    step = struct.pack(">Q", int((time.time() if at is None else at) // 30))
    digest = hmac.digest(base64.b32decode(seed), step, "sha1")
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def show_second_factor(client: Client, staff: Customer) -> None:
    """As if this browser had just typed the app's code."""
    app, _made = Authenticator.objects.get_or_create(user=staff, type="totp", defaults={"data": {"secret": SEED}})
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": time.time(), "id": app.pk, "type": "totp"}]
    session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(staff.pk)
    session.save()
