"""One row for each key that ever sealed or indexed something here: wrong or missing keys stop the start.

A row holds the key's id and a fingerprint, HMAC-SHA256 of a constant under a key of its own purpose, cut to 128 bits.
A key gets its row when it stands first in its list, so a key that is only read along does not bind anybody yet.
"""

import hmac
import uuid
from typing import Any

from django.db import OperationalError, ProgrammingError, connection, transaction

from .keys import KeyRing, index_ring, ring

WORDS = b"sealed storage opens"


class WrongKeys(Exception):
    """The configured keys are not those that this database was sealed with. The message names ids, never keys."""


def fingerprints(keys: KeyRing) -> dict[str, uuid.UUID]:
    """By key id, what only the holder of the key can make."""
    made = [uuid.UUID(bytes=hmac.digest(key, WORDS, "sha256")[:16]) for key in keys.derive("sentinel")]
    return dict(zip((kid for kid, _ in keys.masters), made, strict=True))


def guard() -> None:
    """Raise WrongKeys unless every known key is there; then take note of new ones. Without tables yet it passes."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT setting, kid, fingerprint FROM portal_sentinel")
            known = {(setting, kid): fingerprint for setting, kid, fingerprint in cursor.fetchall()}
    except (ProgrammingError, OperationalError):  # no table yet, or no database: others say that better
        return
    for keys in (ring(), index_ring()):
        ours = fingerprints(keys)
        for (setting, kid), fingerprint in known.items():
            if setting == keys.setting and ours.get(kid) != fingerprint:
                raise WrongKeys(_why(setting, kid, is_missing=kid not in ours))
    for keys in (ring(), index_ring()):
        newest = keys.masters[0][0]
        if (keys.setting, newest) not in known:
            _note(keys.setting, newest, fingerprints(keys)[newest])


def _why(setting: str, kid: str, *, is_missing: bool) -> str:
    if not is_missing:
        return f"{setting} holds another key under the id {kid} than the one this database knows; nothing was changed"
    return (
        f"{setting} lacks the key {kid}, under which this database holds values; nothing was changed"
        f" (with it, `manage.py pii_keys retire {kid}` says whether it is still needed)"
    )


def _note(setting: str, kid: str, fingerprint: uuid.UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO portal_sentinel (setting, kid, fingerprint) VALUES (%s, %s, %s)"
            " ON CONFLICT (setting, kid) DO NOTHING",
            [setting, kid, fingerprint],
        )


def forget(keys: KeyRing, kid: str) -> None:
    """Nothing needs this key any more: the portal starts without it."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM portal_sentinel WHERE setting = %s AND kid = %s", [keys.setting, kid])


def place(**_: Any) -> None:
    """After migrating."""
    guard()
