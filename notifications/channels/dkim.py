"""Our signature on a letter (RFC 6376, rsa-sha256, relaxed/relaxed), when settings hold a key for it."""

import base64
import hashlib
import re
from functools import cache

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings

# What a reader sees, and what could change how it is read; a second From on the list lets nobody add one.
SIGNED = (b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type", b"from")
END = b"\r\n"


def signed(letter: bytes) -> bytes:
    """The letter with its signature on top; as it is when we have no key. Lines end with CR LF."""
    if settings.DKIM is None:
        return letter
    head, _, body = letter.partition(END + END)
    fields = {field.partition(b":")[0].strip().lower(): field for field in re.split(rb"\r\n(?![ \t])", head)}
    names = [name for name in SIGNED if name in fields]
    tags = (
        "v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
        f" d={settings.DKIM['domain']}; s={settings.DKIM['selector']};\r\n"
        f" h={b':'.join(names).decode()};\r\n"
        f" bh={base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()};\r\n b="
    )
    signature = b"DKIM-Signature: " + tags.encode()
    once = [fields[name] for name in dict.fromkeys(names)]
    said = b"".join(relaxed_field(field) + END for field in once) + relaxed_field(signature)
    value = base64.b64encode(_key(settings.DKIM["key"]).sign(said, PKCS1v15(), SHA256()))
    folded = (END + b" ").join(value[start : start + 72] for start in range(0, len(value), 72))
    return signature + folded + END + letter


def relaxed_field(field: bytes) -> bytes:
    """Its name small, its lines one line, each blank one blank and none at the ends (3.4.2)."""
    name, _, value = field.partition(b":")
    return name.strip().lower() + b":" + re.sub(rb"[ \t\r\n]+", b" ", value).strip(b" ")


def relaxed_body(body: bytes) -> bytes:
    """Each blank one blank, none at the end of a line, no empty lines at the end (3.4.4)."""
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(END)]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + END for line in lines)


@cache
def _key(pem: str) -> RSAPrivateKey:
    key = load_pem_private_key(pem.encode(), None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("DKIM_KEY is no RSA key")
    return key
