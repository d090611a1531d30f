"""One row that opens only with the right keys: wrong keys stop the start, before they can hide or harm a value."""

import hmac
import uuid
from typing import Any

from cryptography.fernet import InvalidToken
from django.db import OperationalError, ProgrammingError, connection

from .keys import box, index_keys

WORDS = "sealed storage opens"


class WrongKeys(Exception):
    """The configured keys are not those that this database was sealed with."""


def _tags() -> list[uuid.UUID]:
    return [uuid.UUID(bytes=hmac.digest(k, WORDS.encode(), "sha256")[:16]) for k in index_keys("sentinel")]


def guard() -> None:
    """Raise WrongKeys unless the sentinel opens; a database without tables yet passes."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT token, tag FROM portal_sentinel WHERE id = 1")
            row = cursor.fetchone()
    except (ProgrammingError, OperationalError):  # no table yet, or no database: others say that better
        return
    if row is None:
        return
    token, tag = row
    try:
        opened = box("field").decrypt(token.encode()).decode() == WORDS
    except InvalidToken:
        opened = False
    if not opened:
        raise WrongKeys("PII_KEYS holds none of the keys that this database was sealed with; nothing was changed")
    if tag not in _tags():
        raise WrongKeys("PII_INDEX_KEYS holds none of the keys that this database was indexed with")


def place(**_: Any) -> None:
    """After migrating: put the sentinel there once, or check it."""
    from portal.models import Sentinel

    token = box("field").encrypt(WORDS.encode()).decode()
    Sentinel.objects.get_or_create(id=1, defaults={"token": token, "tag": _tags()[0]})
    guard()
