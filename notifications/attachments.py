"""Files that may come with a ticket: few kinds, each looked into, none trusted by its name."""

import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

SIZE_AT_MOST, FILES_AT_MOST, PIXELS_AT_MOST = 5 * 1024 * 1024, 3, 50_000_000
# Kinds that a browser or a desktop might run; as an inner ending ("x.html.png") they are there to deceive.
ACTIVE = {
    *("html", "htm", "xhtml", "shtml", "svg", "xml", "js", "mjs", "php", "asp", "aspx", "jsp"),
    *("exe", "bat", "cmd", "com", "scr", "vbs", "ps1", "sh", "jar", "msi", "hta", "lnk"),
}


class BadFile(Exception):
    """`words` tell the customer what is wrong with it."""

    def __init__(self, words: object) -> None:
        super().__init__()
        self.words = words


class CleanFile(NamedTuple):
    """A file that passed: its name as the customer sees it, our own content type, its bytes."""

    name: str
    content_type: str
    content: bytes


def _is_picture(kind: str) -> Callable[[bytes], bool]:
    def check(content: bytes) -> bool:
        try:
            with Image.open(BytesIO(content), formats=[kind]) as picture:
                if picture.width * picture.height > PIXELS_AT_MOST:
                    return False
                picture.load()
        except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
            return False
        return True

    return check


def _is_pdf(content: bytes) -> bool:
    return content.startswith(b"%PDF-") and b"%%EOF" in content[-1024:]


def _is_text(content: bytes) -> bool:
    try:
        return "\x00" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _is_zip(content: bytes) -> bool:
    """Its list of contents can be read; nothing is ever unpacked."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return content.startswith(b"PK") and bool(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


KINDS: dict[str, tuple[str, Callable[[bytes], bool]]] = {
    "jpg": ("image/jpeg", _is_picture("JPEG")),
    "jpeg": ("image/jpeg", _is_picture("JPEG")),
    "png": ("image/png", _is_picture("PNG")),
    "webp": ("image/webp", _is_picture("WEBP")),
    "pdf": ("application/pdf", _is_pdf),
    "txt": ("text/plain; charset=utf-8", _is_text),
    "log": ("text/plain; charset=utf-8", _is_text),
    "zip": ("application/zip", _is_zip),
}
# The ending of the name under which each kind is handed back.
ENDINGS = {content_type: ending for ending, (content_type, _check) in reversed(KINDS.items())}


def clean(name: str, content: bytes) -> CleanFile:
    """The file, or BadFile with words for the customer."""
    name = "".join(character for character in name if character.isprintable()).strip()  # none that only deceive the eye
    _stem, *endings = (part.strip() for part in name.lower().split("."))
    ending = endings[-1] if endings else ""
    if ending not in KINDS or ACTIVE & set(endings):
        raise BadFile(_("We cannot take this kind of file. Please send a JPEG, PNG, WebP, PDF, text, log or zip file."))
    if not content:
        raise BadFile(_("This file is empty. Please choose it again."))
    if len(content) > SIZE_AT_MOST:
        raise BadFile(_("This file is larger than 5 MB. Please send a smaller one, or several."))
    content_type, check = KINDS[ending]
    if not check(content):
        raise BadFile(
            _("What is in this file does not fit its name, or it is damaged. Please save it anew and try again.")
        )
    return CleanFile(name[-120:], content_type, content)
