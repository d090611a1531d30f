"""Only the picture is kept of a photo, and only of a photo."""

import io
import struct
import zlib

import pytest
from PIL import Image

from accounts.photo import ENOUGH, MAX_SIDE, BadPhoto, sanitise, watermarked


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
    clean = sanitise(io.BytesIO(raw))
    assert b"SECRET" not in clean and not dict(Image.open(io.BytesIO(clean)).getexif())


@pytest.mark.parametrize(
    ("size", "kept"), [((2900, 2000), MAX_SIDE), ((4000, 3000), 2000), ((2000, 6000), MAX_SIDE), ((1400, 900), 1400)]
)
def test_a_large_picture_is_made_smaller_and_keeps_enough_to_be_read(size, kept):
    longer = max(Image.open(io.BytesIO(sanitise(io.BytesIO(jpeg(size, quality=30))))).size)
    assert longer == kept and longer >= min(ENOUGH, max(size))


def test_a_photo_taken_sideways_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    assert Image.open(io.BytesIO(sanitise(io.BytesIO(jpeg((800, 500), exif=exif))))).size == (500, 800)


def test_holes_become_white():
    out = io.BytesIO()
    Image.new("RGBA", (40, 30), (200, 0, 0, 0)).save(out, "PNG")
    assert min(Image.open(io.BytesIO(sanitise(out))).getpixel((20, 15))) > 250


@pytest.mark.parametrize("shade", [5, 128, 250])
def test_the_mark_is_seen_on_dark_and_on_light_and_hides_nothing(shade):
    out = io.BytesIO()
    Image.new("RGB", (1200, 800), (shade,) * 3).save(out, "JPEG")
    marked = Image.open(io.BytesIO(watermarked(out.getvalue(), "0a1b2c 2026-11-27 04:00 UTC"))).convert("L")
    seen = [abs(value - shade) > 30 for value in marked.tobytes()]
    assert 0.01 < sum(seen) / len(seen) < 0.2
    for box in ((0, 0, 600, 400), (600, 400, 1200, 800)):  # in each quarter, so that no part can be cut out clean
        low, high = marked.crop(box).getextrema()
        assert high - low > 40


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_png_and_webp_become_jpeg(kind):
    out = io.BytesIO()
    Image.new("RGBA", (40, 30), (200, 0, 0, 128)).save(out, kind)
    assert Image.open(io.BytesIO(sanitise(out))).format == "JPEG"


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
        sanitise(io.BytesIO(raw))
    assert str(raised.value.words)
