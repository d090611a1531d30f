"""What a blind index makes of a value before and after its HMAC. It needs no running Django."""

import re
import unicodedata
import uuid

from portal.jalali import TO_LATIN


def n_text(value: str) -> str:
    """Same words, same text: NFKC, Persian ye and kaf, one space, no case."""
    text = unicodedata.normalize("NFKC", value).replace("ي", "ی").replace("ك", "ک").replace("\u200c", " ")
    return re.sub(r"\s+", " ", text).strip().casefold()


def n_digits(value: str) -> str:
    """The ASCII digits of a number, nothing else."""
    return re.sub(r"[^0-9]", "", unicodedata.normalize("NFKC", value).translate(TO_LATIN))


def n_uuid(digest: bytes) -> uuid.UUID:
    """128 bits of it."""
    return uuid.UUID(bytes=digest[:16])


def n_byte(digest: bytes) -> int:
    """8 bits of it."""
    return digest[0]
