"""What a bare machine lacks is installed, or named in one line."""

from pathlib import Path

import pytest

from portal.local import browser, venv


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose PATH has nothing on it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROME", raising=False)
    monkeypatch.setattr(browser, "ON_MAC", "/nowhere")
    return tmp_path


def program(folder: Path, name: str, body: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_without_any_way_to_a_browser_one_line_says_what_to_install(bare: Path) -> None:
    with pytest.raises(SystemExit, match="need Chromium: install it"):
        browser.find()


def test_the_browser_that_is_named_is_taken_and_a_broken_one_is_refused(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHROME", program(bare, "mine", "echo Chromium 1"))
    assert browser.find() == str(bare / "mine")
    monkeypatch.setenv("CHROME", program(bare, "broken", "exit 1"))
    with pytest.raises(SystemExit, match="broken does not start"):
        browser.find()


def test_a_browser_on_the_path_that_only_points_elsewhere_is_passed_over(bare: Path) -> None:
    program(bare, "chromium", "exit 10")
    program(bare, "google-chrome", "echo Chrome 1")
    assert browser.find() == str(bare / "google-chrome")


def test_without_venv_pip_or_apt_one_line_says_what_to_install(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(venv, "HOME", bare / ".venv")
    monkeypatch.setattr(venv, "PYTHON", bare / ".venv" / "bin" / "python")
    monkeypatch.setattr(venv.sys, "_base_executable", program(bare, "python3", "exit 1"))
    with pytest.raises(SystemExit, match="apt-get install python3-venv"):
        venv._install()


def test_the_environment_is_made_anew_only_when_pins_or_place_change(monkeypatch: pytest.MonkeyPatch) -> None:
    before = venv.wanted()
    assert venv.wanted() == before
    monkeypatch.setattr(venv, "HOME", Path("/elsewhere/.venv"))
    assert venv.wanted() != before
    monkeypatch.undo()
    monkeypatch.setattr(venv, "REQUIREMENTS", ["requirements.txt"])
    assert venv.wanted() != before
