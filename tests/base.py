"""The cast: alice (customer), bob (another customer), carol (staff), and what each types."""

import os
from urllib.parse import urlsplit, urlunsplit

from allauth.account.models import EmailAddress
from django.db import connection
from django.utils import timezone

from accounts.models import Customer

PASSWORD = "correct-horse-battery"


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
