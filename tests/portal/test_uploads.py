"""Uploads are never written to disk in clear, and one that is too large costs no memory."""

import tempfile
from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile


def test_a_large_upload_leaves_the_temporary_folder_empty(alice_client, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    photo = SimpleUploadedFile("card.jpg", b"\xff\xd8" + b"x" * 4_000_000, "image/jpeg")
    alice_client.post("/profile/photo-id/", {"photo": photo})
    assert list(Path(tmp_path / "tmp").iterdir()) == []
