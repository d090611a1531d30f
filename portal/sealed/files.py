"""Encrypted files: a random key a file (kept in a sealed column), AES-256-GCM in chunks of 64 KiB, bound to its row.

Layout: 4 bytes magic, 7 bytes nonce prefix, then chunks of ciphertext + 16-byte tag. The nonce ends in the chunk's
number and a last-chunk flag (the STREAM construction, Hoang, Reyhanitabar, Rogaway, Vizár, 2015), so cutting, swapping
or repeating chunks fails, and the row's id as associated data keeps one row's file from standing in for another's.
"""

import datetime as dt
import os
import secrets
import struct
from collections.abc import Iterator
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

MAGIC, CHUNK, TAG = b"YSF1", 64 * 1024, 16
HEAD = len(MAGIC) + 7


class Damaged(Exception):
    """The stored file is not what was stored for this row."""


class Stored(NamedTuple):
    """Where the ciphertext lies, and the key (64 hex digits) that the row keeps sealed."""

    name: str
    key: str


def seal(content: bytes, key: bytes, aad: bytes) -> bytearray:
    """Encrypt, each chunk straight into its place; `key` is 32 bytes."""
    gcm, prefix = AESGCM(key), os.urandom(7)
    clear, count = memoryview(content), max(1, -(-len(content) // CHUNK))
    sealed = bytearray(HEAD + len(content) + count * TAG)
    sealed[:HEAD] = MAGIC + prefix
    room, at = memoryview(sealed), HEAD
    for number in range(count):
        part = clear[number * CHUNK : (number + 1) * CHUNK]
        end = at + len(part) + TAG
        gcm.encrypt_into(_nonce(prefix, number, count), part, aad, room[at:end])
        at = end
    return sealed


def unseal(sealed: bytes, key: bytes, aad: bytes) -> bytes:
    """Decrypt; raises Damaged if anything differs from what was sealed."""
    count = -(-(len(sealed) - HEAD) // (CHUNK + TAG))
    if sealed[: len(MAGIC)] != MAGIC or count < 1:
        raise Damaged("not a sealed file")
    gcm, prefix, body = AESGCM(key), bytes(sealed[len(MAGIC) : HEAD]), memoryview(sealed)[HEAD:]
    clear = bytearray(max(0, len(body) - count * TAG))
    room = memoryview(clear)
    try:
        for number in range(count):
            part = body[number * (CHUNK + TAG) : (number + 1) * (CHUNK + TAG)]
            place = room[number * CHUNK : number * CHUNK + max(0, len(part) - TAG)]
            gcm.decrypt_into(_nonce(prefix, number, count), part, aad, place)
    except (InvalidTag, ValueError):
        raise Damaged("the sealed file was changed, cut or belongs to another row") from None
    return bytes(clear)


def _nonce(prefix: bytes, number: int, count: int) -> bytes:
    return prefix + struct.pack(">IB", number, number == count - 1)


def put(content: bytes, *, aad: bytes) -> Stored:
    """Seal `content` under a fresh key into storage; the name is random and says nothing."""
    key = os.urandom(32)
    name = f"{secrets.token_hex(16)}.sealed"
    return Stored(default_storage.save(f"{name[:2]}/{name}", ContentFile(seal(content, key, aad))), key.hex())


def get(name: str, key: str, *, aad: bytes) -> bytes:
    """Read a sealed file back."""
    with default_storage.open(name) as file:
        return unseal(file.read(), bytes.fromhex(key), aad)


def orphans(known: set[str], older_than: dt.timedelta) -> Iterator[str]:
    """Names in storage that no row knows: their transaction was rolled back, or their shredding was cut short."""
    now = timezone.now()
    for folder in default_storage.listdir("")[0]:
        for file in default_storage.listdir(folder)[1]:
            name = f"{folder}/{file}"
            if name not in known and now - default_storage.get_modified_time(name) > older_than:
                yield name


def shred(name: str) -> None:
    """Delete the ciphertext; with its key gone from the row, no copy of it opens either."""
    default_storage.delete(name)
