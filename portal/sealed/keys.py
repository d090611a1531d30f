"""The key ring: one master list, newest first; every purpose gets its own key by HKDF-SHA256 (RFC 5869)."""

import base64
import functools
import re
from dataclasses import dataclass

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

SALT = b"portal-pii-v1"
# Everything that a key is ever derived for; an index adds its table and column.
PURPOSES = {
    "field": "seals columns",
    "session": "seals sessions",
    "cache": "hides what rate limits are kept by",
    "sentinel": "proves that a key is the right one",
    "bidx/": "finds values by their hash",
}


@dataclass(frozen=True)
class KeyRing:
    """Master keys of 32 bytes each by their id, newest first."""

    setting: str
    masters: tuple[tuple[str, bytes], ...]

    @classmethod
    def parse(cls, setting: str, text: str) -> "KeyRing":
        """Read `k2:<64 hex> k1:<64 hex>`; raises ImproperlyConfigured naming the setting, never the value."""
        masters = []
        for part in re.split(r"[\s,]+", text.strip()):
            kid, _, digits = part.partition(":")
            if not kid or not re.fullmatch(r"[0-9a-fA-F]{64}", digits):
                raise ImproperlyConfigured(f"{setting} needs keys written as id:64-hex-digits, newest first")
            masters.append((kid, bytes.fromhex(digits)))
        if len(dict(masters)) != len(masters):
            raise ImproperlyConfigured(f"{setting} names one key id twice")
        return cls(setting, tuple(masters))

    def derive(self, purpose: str) -> list[bytes]:
        """One 32-byte key a master, newest first, for this purpose of PURPOSES alone."""
        if purpose not in PURPOSES and not purpose.startswith("bidx/"):
            raise LookupError(f"{purpose!r} is not among the purposes that keys are derived for")
        return [
            HKDF(algorithm=SHA256(), length=32, salt=SALT, info=purpose.encode()).derive(key) for _, key in self.masters
        ]

    def __repr__(self) -> str:
        return f"<KeyRing {self.setting} {[kid for kid, _ in self.masters]}>"


_parse = functools.lru_cache(maxsize=8)(KeyRing.parse)


def ring() -> KeyRing:
    """The ring that seals values."""
    return _parse("PII_KEYS", settings.PII_KEYS)


def index_ring() -> KeyRing:
    """The ring that makes blind indexes; it turns on a clock of its own."""
    return _parse("PII_INDEX_KEYS", settings.PII_INDEX_KEYS)


@functools.lru_cache(maxsize=16)
def _box(ring: KeyRing, purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in ring.derive(purpose)])


def box(purpose: str) -> MultiFernet:
    """Seal with the newest key, open with any."""
    return _box(ring(), purpose)


@functools.lru_cache(maxsize=128)
def _index_keys(ring: KeyRing, purpose: str) -> list[bytes]:
    return ring.derive(purpose)


def index_keys(purpose: str) -> list[bytes]:
    """HMAC keys, newest first."""
    return _index_keys(index_ring(), purpose)
