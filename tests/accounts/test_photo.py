"""Only the picture is kept of a photo, and only of a photo."""

import io
import struct
import zlib

import pytest
from PIL import Image

from accounts.photo import MAX_SIDE, BadPhoto, sanitise


def jpeg(size=(800, 500), **options) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(out, "JPEG", **options)
    return out.getvalue()


def with_secrets() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "SECRETPHONE"
    exif.get_ifd(0x8825)[1] = "N"
    return jpeg(exif=exif, comment=b"SECRETCOMMENT") + b"PK\x03\x04SECRETZIP<?php"


def test_place_camera_comment_and_trailing_bytes_are_gone():
    raw = with_secrets()
    assert raw.count(b"SECRET") == 3
    clean = sanitise(raw)
    assert b"SECRET" not in clean and not dict(Image.open(io.BytesIO(clean)).getexif())


def test_a_large_picture_is_made_smaller():
    assert max(Image.open(io.BytesIO(sanitise(jpeg((4000, 3000), quality=30)))).size) == MAX_SIDE


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_png_and_webp_become_jpeg(kind):
    out = io.BytesIO()
    Image.new("RGBA", (40, 30), (200, 0, 0, 128)).save(out, kind)
    assert Image.open(io.BytesIO(sanitise(out.getvalue()))).format == "JPEG"


def png_bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(width + 1)) for _ in range(height)) + packer.flush()
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "raw",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
        b"%PDF-1.4\n%...",
        b"PK\x03\x04" + b"\0" * 40,
        b"<html>",
        b"",
        jpeg()[:5000],
        png_bomb(7000, 6000),
    ],
    ids=["svg", "pdf", "zip", "html", "empty", "cut", "bomb"],
)
def test_what_is_no_photo_is_refused_with_words(raw):
    with pytest.raises(BadPhoto) as raised:
        sanitise(raw)
    assert str(raised.value.words)
