"""One folder, one stack."""

from pathlib import Path

from portal.local.room import Room


def test_a_second_stack_cannot_take_the_same_folder(tmp_path: Path) -> None:
    first, second = Room(tmp_path), Room(tmp_path)
    assert first.take()
    assert not second.take()
    first.leave()
    assert second.take()
    second.leave()


def test_the_note_on_what_runs_is_believed_only_while_somebody_holds_the_folder(tmp_path: Path) -> None:
    room = Room(tmp_path)
    assert Room(tmp_path).running() is None
    room.take()
    room.tell({"SITE_URL": "http://127.0.0.1:8000"})
    assert Room(tmp_path).running() == {"SITE_URL": "http://127.0.0.1:8000"}
    assert (tmp_path / "run" / "env.json").stat().st_mode & 0o777 == 0o600
    room.leave()
    assert Room(tmp_path).running() is None


def test_the_next_stack_notices_that_the_one_before_was_killed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "env.json").write_text("{}")
    room = Room(tmp_path)
    assert room.take()
    assert room.was_killed
    room.leave()
    assert room.take()
    assert not room.was_killed
    room.leave()
