"""Which files we take, and what we say of the others."""

import pytest

from notifications.attachments import FILES_AT_MOST, SIZE_AT_MOST, BadFile, clean
from notifications.forms import TicketForm
from tests.notifications.files import archive, picture, upload

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
HTML = b"<html><script>alert(1)</script></html>"


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("shot.png", picture(), "image/png"),
        ("SHOT.PNG", picture(), "image/png"),
        ("photo.jpeg", picture("JPEG"), "image/jpeg"),
        ("photo.jpg", picture("JPEG"), "image/jpeg"),
        ("p.webp", picture("WEBP"), "image/webp"),
        ("قرارداد من.pdf", PDF, "application/pdf"),
        ("error.log", "خطا".encode(), "text/plain; charset=utf-8"),
        ("notes.2026.txt", b"hello", "text/plain; charset=utf-8"),
        ("logs.zip", archive(), "application/zip"),
    ],
)
def test_ordinary_files_are_taken(name, content, content_type):
    assert clean(name, content).content_type == content_type


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.html", HTML),
        ("x.html.png", picture()),
        ("x.html\u200b.png", picture()),
        ("x\u202egnp.html", HTML),
        ("x.png\u200b.html", HTML),
        ("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("x.exe", b"MZ"),
        ("png", picture()),
        ("", picture()),
        ("x.png", HTML),
        ("x.png", picture()[:40]),
        ("x.jpg", picture("PNG")),
        ("x.pdf", HTML),
        ("x.zip", HTML),
        ("x.txt", b"\xff\xfe\x00"),
        ("x.txt", b"a\x00b"),
        ("x.txt", b""),
        ("x.log", b"x" * (SIZE_AT_MOST + 1)),
    ],
)
def test_others_are_refused_with_words(name, content):
    with pytest.raises(BadFile) as caught:
        clean(name, content)
    assert len(str(caught.value.words)) > 20


def test_a_form_takes_three_files_and_no_more():
    fields = {"subject": "x", "text": "y", "token": "00000000-0000-4000-8000-000000000001"}

    def form(count: int) -> TicketForm:
        from django.utils.datastructures import MultiValueDict

        return TicketForm(fields, MultiValueDict({"files": [upload(f"{n}.txt", b"x") for n in range(count)]}))

    assert form(FILES_AT_MOST).is_valid() and form(0).is_valid()
    assert "at most three" in str(form(FILES_AT_MOST + 1).errors["files"])
