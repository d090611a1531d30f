"""Encrypted files: a random key a file (kept in a sealed column), AES-256-GCM in chunks of 64 KiB, bound to its row.

Layout: 4 bytes magic, 7 bytes nonce prefix, then chunks of ciphertext + 16-byte tag. The nonce ends in the chunk's
number and a last-chunk flag (the STREAM construction, Hoang, Reyhanitabar, Rogaway, Vizár, 2015), so cutting, swapping
or repeating chunks fails, and the row's id as associated data keeps one row's file from standing in for another's.
"""

import os
import secrets
import struct
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

MAGIC, CHUNK = b"YSF1", 64 * 1024


class Damaged(Exception):
    """The stored file is not what was stored for this row."""


class Stored(NamedTuple):
    """Where the ciphertext lies, and the key (64 hex digits) that the row keeps sealed."""

    name: str
    key: str


def seal(content: bytes, key: bytes, aad: bytes) -> bytes:
    """Encrypt; `key` is 32 bytes."""
    gcm, prefix = AESGCM(key), os.urandom(7)
    parts = [content[i : i + CHUNK] for i in range(0, len(content), CHUNK)] or [b""]
    last = len(parts) - 1
    sealed = [gcm.encrypt(prefix + struct.pack(">IB", i, i == last), part, aad) for i, part in enumerate(parts)]
    return b"".join((MAGIC, prefix, *sealed))


def unseal(sealed: bytes, key: bytes, aad: bytes) -> bytes:
    """Decrypt; raises Damaged if anything differs from what was sealed."""
    if sealed[:4] != MAGIC:
        raise Damaged("not a sealed file")
    gcm, prefix, body = AESGCM(key), sealed[4:11], sealed[11:]
    parts = [body[i : i + CHUNK + 16] for i in range(0, len(body), CHUNK + 16)]
    last = len(parts) - 1
    try:
        opened = [gcm.decrypt(prefix + struct.pack(">IB", i, i == last), part, aad) for i, part in enumerate(parts)]
    except InvalidTag:
        raise Damaged("the sealed file was changed, cut or belongs to another row") from None
    return b"".join(opened)


def put(content: bytes, *, aad: bytes) -> Stored:
    """Seal `content` under a fresh key into storage; the name is random and says nothing."""
    key = os.urandom(32)
    name = f"{secrets.token_hex(16)}.sealed"
    return Stored(default_storage.save(f"{name[:2]}/{name}", ContentFile(seal(content, key, aad))), key.hex())


def get(name: str, key: str, *, aad: bytes) -> bytes:
    """Read a sealed file back."""
    with default_storage.open(name) as file:
        return unseal(file.read(), bytes.fromhex(key), aad)


def shred(name: str) -> None:
    """Delete the ciphertext; with its key gone from the row, no copy of it opens either."""
    default_storage.delete(name)
