"""A photo of an ID card, drawn anew: no EXIF, no GPS, no trailing bytes, no other format in disguise."""

import io
import warnings
from typing import Any

from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps, UnidentifiedImageError

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_SIDE = 2400  # pixels kept of the longer side: a card stays readable


class BadPhoto(Exception):
    """The file is no photo that we can take; `words` tell its owner why."""

    def __init__(self, words: Any) -> None:
        super().__init__(str(words))
        self.words = words


def sanitise(raw: bytes) -> bytes:
    """JPEG, PNG or WebP in; a JPEG of at most 2400 × 2400 pixels out. Raises BadPhoto."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture: Image.Image = Image.open(io.BytesIO(raw), formats=("JPEG", "PNG", "WEBP"))
            if picture.width * picture.height > MAX_PIXELS:
                raise BadPhoto(_("This picture has too many pixels. Please take a smaller photo."))
            if getattr(picture, "n_frames", 1) > 1:
                raise BadPhoto(_("This picture moves. Please send a still photo."))
            picture.draft("RGB", (MAX_SIDE, MAX_SIDE))
            picture.load()
    except UnidentifiedImageError:
        raise BadPhoto(_("This file is not a JPEG, PNG or WebP picture. Please send a photo of the card.")) from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise BadPhoto(_("This picture cannot be read to its end. Please send it again.")) from None
    upright = ImageOps.exif_transpose(picture)
    if upright.mode in ("RGBA", "LA", "PA", "P"):
        layered = upright.convert("RGBA")
        upright = Image.new("RGB", layered.size, "white")
        upright.paste(layered, mask=layered.getchannel("A"))
    upright = upright.convert("RGB")
    upright.thumbnail((MAX_SIDE, MAX_SIDE))
    clean = Image.frombytes("RGB", upright.size, upright.tobytes())  # pixels alone: info, EXIF and ICC stay behind
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=88, optimize=True)
    return out.getvalue()
