"""Uploads are never written to disk in clear, and one that is too large costs no memory."""

import tempfile
from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory

from portal.sealed.uploads import IN_ALL


def test_a_large_upload_leaves_the_temporary_folder_empty(alice_client, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    photo = SimpleUploadedFile("card.jpg", b"\xff\xd8" + b"x" * 4_000_000, "image/jpeg")
    alice_client.post("/profile/photo-id/", {"photo": photo})
    assert list(Path(tmp_path / "tmp").iterdir()) == []


def kept(*sizes: int) -> list[tuple[int, bool]]:
    """What stays in memory of files of these sizes, sent by anybody at once."""
    files = [SimpleUploadedFile(f"{n}.txt", b"x" * size) for n, size in enumerate(sizes)]
    uploads = RequestFactory().post("/accounts/login/", {"files": files}).FILES.getlist("files")
    return [(len(upload.read()), upload.too_large) for upload in uploads]


def test_many_files_cost_no_more_than_a_few(settings):
    found = kept(*[4 * 1024 * 1024] * 8)
    assert sum(size for size, _ in found) <= IN_ALL
    assert found == [(4 * 1024 * 1024, False)] * 4 + [(0, True)] * 4


def test_a_file_too_large_takes_no_room_from_the_next():
    assert kept(12 * 1024 * 1024, 5 * 1024 * 1024) == [(0, True), (5 * 1024 * 1024, False)]


def test_three_full_attachments_pass():
    assert not any(too_large for _, too_large in kept(*[5 * 1024 * 1024] * 3))
