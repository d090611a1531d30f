"""The stack's own secrets."""

from pathlib import Path

import pytest

from portal.local.keys import MAKERS, own_keys
from portal.sealed.keys import KeyRing


def test_keys_are_made_once_kept_and_private(tmp_path: Path) -> None:
    file, data = tmp_path / "secrets.env", tmp_path / "data"
    made = own_keys(file, needed_by=data)
    assert set(made) == set(MAKERS)
    assert file.stat().st_mode & 0o777 == 0o600
    assert own_keys(file, needed_by=data) == made


def test_the_made_keys_are_key_rings(tmp_path: Path) -> None:
    made = own_keys(tmp_path / "secrets.env", needed_by=tmp_path / "data")
    for name in ("PII_KEYS", "PII_INDEX_KEYS"):
        KeyRing.parse(name, made[name])


def test_a_release_that_needs_one_more_secret_keeps_the_old_ones(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    file.write_text("SECRET_KEY=old\n")
    made = own_keys(file, needed_by=tmp_path / "data")
    assert made["SECRET_KEY"] == "old"
    assert set(made) == set(MAKERS)


def test_lost_keys_are_not_replaced_while_there_is_data_that_needs_them(tmp_path: Path) -> None:
    file, data = tmp_path / "secrets.env", tmp_path / "data"
    data.touch()
    with pytest.raises(SystemExit, match=r"secrets\.env is gone"):
        own_keys(file, needed_by=data)
    assert not file.exists()
