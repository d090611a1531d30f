"""Our signature on letters, read by a verifier that is written from the RFC and proved by the RFC's own letter."""

import base64
import hashlib
import re

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)

from notifications import flows
from notifications.channels import dkim
from tests.notifications.base import only

# RFC 8463, appendix A.3: a letter signed with rsa-sha256, relaxed/relaxed, and the key of its signer.
PUBLISHED = (
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3"
    "FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
)
LETTER = """\
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
"""


def verify(letter: bytes, key: rsa.RSAPublicKey) -> dict[str, str]:
    """Tags of the first signature, once it holds. Reads line by line, and shares nothing with what signs."""
    lines = letter.decode("ascii").split("\r\n")
    end = lines.index("")
    fields: list[list[str]] = []
    for line in lines[:end]:
        if line[0] in " \t":
            fields[-1][1] += line
        else:
            fields.append(line.split(":", 1))
    own = fields.pop(0)
    assert own[0] == "DKIM-Signature"
    tags = {name.strip(): "".join(value.split()) for name, value in re.findall(r"([a-z]+)\s*=([^;]*)", own[1])}

    body = [" ".join(re.split("[ \t]+", line)).rstrip() for line in lines[end + 1 :]]
    text = "\r\n".join(body).rstrip("\r\n") + "\r\n"
    assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() == tags["bh"]

    said, left = "", [(name.strip().lower(), " ".join(value.split())) for name, value in fields]
    for wanted in tags["h"].split(":"):
        found = [n for n, (name, _value) in enumerate(left) if name == wanted.lower()]
        if found:
            said += ":".join(left.pop(found[-1])) + "\r\n"
    said += "dkim-signature:" + re.sub(r"(\bb=)[^;]*", r"\1", " ".join(own[1].split()))
    key.verify(base64.b64decode(tags["b"]), said.encode(), padding.PKCS1v15(), SHA256())
    return tags


@pytest.fixture
def key(settings) -> rsa.RSAPrivateKey:
    own = rsa.generate_private_key(65537, 2048)
    pem = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    settings.DKIM = {"key": pem, "selector": "autumn", "domain": "portal.example"}
    return own


def test_the_verifier_of_these_tests_knows_the_rfcs_letter():
    published = load_der_public_key(base64.b64decode(PUBLISHED))
    letter = LETTER.replace("\n", "\r\n").encode()
    assert verify(letter, published)["d"] == "football.example.com"
    with pytest.raises(InvalidSignature):
        verify(letter.replace(b"Is dinner", b"Is supper"), published)


def test_fields_and_bodies_are_written_as_the_rfc_shows():
    """RFC 6376, 3.4.5, example 1."""
    assert dkim.relaxed_field(b"A: X") == b"a:X"
    assert dkim.relaxed_field(b"B : Y\t\r\n\tZ  ") == b"b:Y Z"
    assert dkim.relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"
    assert dkim.relaxed_body(b"\r\n\r\n") == dkim.relaxed_body(b"") == b""
    hashed = base64.b64encode(
        hashlib.sha256(dkim.relaxed_body(LETTER.replace("\n", "\r\n").partition("\r\n\r\n")[2].encode())).digest()
    )
    assert hashed == b"2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="


def signed_letter() -> bytes:
    return dkim.signed(
        b"From: a@portal.example\r\nTo: b@example.com\r\nSubject: Hello\r\n you\r\n\r\nHi  there \r\n.\r\n\r\n"
    )


def test_what_we_sign_holds_and_no_word_of_it_can_be_changed(key):
    letter = signed_letter()
    tags = verify(letter, key.public_key())
    assert (tags["d"], tags["s"]) == ("portal.example", "autumn") and tags["h"].split(":").count("from") == 2
    for old, new in ((b"Hello", b"Hallo"), (b"Hi ", b"Ho "), (b"To: b", b"To: c")):
        with pytest.raises((InvalidSignature, AssertionError)):
            verify(letter.replace(old, new), key.public_key())
    with pytest.raises(InvalidSignature):  # a second sender on top of ours
        verify(letter.replace(b"\r\nFrom:", b"\r\nFrom: x@evil.example\r\nFrom:", 1), key.public_key())
    verify(letter.replace(b"Hi  there \r\n", b"Hi there\r\n"), key.public_key())  # blanks may be lost on the way


def test_a_letter_of_ours_arrives_signed(dana, tell, joined, key):
    dana.language = "fa"
    assert flows.deliver(only(tell(dana, "ticket_opened"), "email").pk) == "accepted"
    (mail,) = joined.mail()
    assert "d=portal.example" in mail["headers"]["dkim-signature"]


def test_without_a_key_it_is_left_to_the_mail_server(settings):
    settings.DKIM = None
    assert dkim.signed(b"From: a@b\r\n\r\nx\r\n") == b"From: a@b\r\n\r\nx\r\n"
