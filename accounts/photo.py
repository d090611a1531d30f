"""A photo of an ID card, drawn anew: no EXIF, no GPS, no trailing bytes, no other format in disguise."""

import io
import warnings
from typing import Any, BinaryIO

from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

MAX_BYTES = 10 * 1024 * 1024
# Pixels; what is no JPEG can be decoded only at its full size, 3 or 4 bytes a pixel.
MAX_PIXELS = {"JPEG": 50_000_000, "PNG": 16_000_000, "WEBP": 16_000_000}
MAX_SIDE = 2400  # pixels kept of the longer side: a card stays readable
ENOUGH = 1500  # pixels of the longer side below which nothing is left out while decoding


class BadPhoto(Exception):
    """The file is no photo that we can take; `words` tell its owner why."""

    def __init__(self, words: Any) -> None:
        super().__init__(str(words))
        self.words = words


def sanitise(file: BinaryIO) -> bytes:
    """JPEG, PNG or WebP in; a JPEG of at most MAX_SIDE pixels a side out. Raises BadPhoto.

    Memory: the file and the picture as it is decoded; then, the file closed, the picture and one copy of at most
    MAX_SIDE a side. A JPEG is decoded at half or a quarter of its size where that leaves ENOUGH pixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture: Image.Image = Image.open(file, formats=("JPEG", "PNG", "WEBP"))
            if picture.width * picture.height > MAX_PIXELS[str(picture.format)]:
                raise BadPhoto(_("This picture has too many pixels. Please take a smaller photo."))
            if getattr(picture, "n_frames", 1) > 1:
                raise BadPhoto(_("This picture moves. Please send a still photo."))
            picture.draft("RGB", (ENOUGH, ENOUGH))
            picture.load()
            file.close()  # its memory is needed for the copy
    except UnidentifiedImageError:
        raise BadPhoto(_("This file is not a JPEG, PNG or WebP picture. Please send a photo of the card.")) from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise BadPhoto(_("This picture cannot be read to its end. Please send it again.")) from None
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    ImageOps.exif_transpose(picture, in_place=True)
    clean = Image.new("RGB", picture.size, "white")  # pixels alone: info, EXIF and ICC stay behind
    clean.paste(picture.convert("RGBA"), mask=picture.convert("RGBA")) if _has_holes(picture) else clean.paste(picture)
    return _jpeg(clean)


def _has_holes(picture: Image.Image) -> bool:
    return picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info


def watermarked(jpeg: bytes, words: str) -> bytes:
    """The picture with these Latin words across it again and again, light on dark and dark on light."""
    picture = Image.open(io.BytesIO(jpeg)).convert("RGB")
    size = max(14, min(picture.size) // 28)
    font = ImageFont.load_default(size)
    line = Image.new("L", (int(font.getlength(words)) + 3 * size, 2 * size))
    ImageDraw.Draw(line).text((size, size // 3), words, fill=110, font=font)
    tilted = line.rotate(20, expand=True)
    for shift, color in ((0, "white"), (max(1, size // 12), "black")):
        for y in range(-tilted.height // 2, picture.height, tilted.height):
            for x in range(-tilted.width // 2, picture.width, tilted.width):
                picture.paste(color, (x + shift, y + shift), tilted)
    return _jpeg(picture)


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=88, optimize=True)
    return out.getvalue()
