"""An address of the internet is personal: it stands in no column in clear, not even in the key of a rate limit."""

from django.db import connection
from django.test import Client

from devices.models import SignIn
from tests.base import PASSWORD
from tests.test_erased import columns

ADDRESS = "203.0.113.77"


def said() -> str:
    """Every text of every table, as a thief of the database reads it."""
    texts = []
    with connection.cursor() as cursor:
        for table, column in columns():
            cursor.execute(f'SELECT "{column}"::text FROM "{table}" WHERE "{column}" IS NOT NULL')  # noqa: S608
            texts += [text for (text,) in cursor.fetchall()]
    return "\n".join(texts)


def test_nobodys_address_is_kept_in_clear(alice):
    client = Client(REMOTE_ADDR=ADDRESS)
    for secret in ("wrong-wrong", PASSWORD):
        client.post("/accounts/login/", {"login": "alice@example.com", "password": secret})
    client.post("/accounts/password/reset/", {"email": "nobody@example.com"})
    assert SignIn.objects.get(customer=alice).network == "203.0.113.0/24"
    found = said()
    assert alice.ref in found and "203.0.113" not in found
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM portal_cache")
        assert cursor.fetchone()[0] > 0, "no rate limit was counted"
        cursor.execute(
            "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'inet'"
        )
        assert cursor.fetchone()[0] == 0
