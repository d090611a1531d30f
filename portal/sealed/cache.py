"""The cache holds rate limits: under keys that tell no address, and until they run out."""

import hmac
from typing import Any

from django.core.cache.backends.db import DatabaseCache

from .keys import index_keys


def keyed(key: str, key_prefix: str, version: int) -> str:
    """Django's KEY_FUNCTION."""
    return f"{key_prefix}:{version}:{hmac.digest(index_keys('cache')[0], str(key).encode(), 'sha256').hex()}"


class Limits(DatabaseCache):
    """Django's own, but a limit that still holds is never dropped, however many a stranger makes."""

    def _cull(self, db: str, cursor: Any, now: Any, num: int) -> None:
        """Django 5.2 calls this once there are more than MAX_ENTRIES; its own goes on to delete living ones."""
        cursor.execute(f'DELETE FROM "{self._table}" WHERE expires < %s', [now])  # type: ignore[attr-defined]  # noqa: S608
