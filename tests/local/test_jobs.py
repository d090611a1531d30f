"""Work that is done before the first page, and only when there is any."""

import os
from pathlib import Path

import pytest

from portal.local import jobs


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(jobs, "ROOT", tmp_path)
    for name in ("requirements.txt", "billing/apps.py", "billing/static/a.css", "var/static/a.1234.css"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_static_files_are_collected_again_only_after_a_change_of_a_source(project: Path) -> None:
    before = jobs.static_mark()
    (project / "var/static/b.css").write_text("collected")
    assert jobs.static_mark() == before
    (project / "billing/static/a.css").write_text("changed")
    changed = jobs.static_mark()
    assert changed != before
    (project / "requirements.txt").write_text("newer\n")
    assert jobs.static_mark() != changed


def test_translations_are_compiled_again_only_after_an_edit(project: Path) -> None:
    source = project / "portal/locale/fa/LC_MESSAGES/django.po"
    source.parent.mkdir(parents=True)
    assert not jobs.catalogues_are_old()
    source.touch()
    assert jobs.catalogues_are_old()
    compiled = source.with_suffix(".mo")
    compiled.touch()
    os.utime(source, (1, 1))
    assert not jobs.catalogues_are_old()
    os.utime(compiled, (0, 0))
    assert jobs.catalogues_are_old()
