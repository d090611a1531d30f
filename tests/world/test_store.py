"""What the outside world remembers: whole steps only, also in a folder that an earlier version made."""

import sqlite3
from pathlib import Path

import pytest

from portal.local.world.store import Store
from tests.world.wire import Wire, send_letter
from tests.world_client import World

OLD = """
CREATE TABLE texts (
    messageid INTEGER PRIMARY KEY AUTOINCREMENT, localid INTEGER UNIQUE, receptor TEXT NOT NULL, message TEXT NOT NULL,
    sender TEXT NOT NULL, template TEXT, kind TEXT NOT NULL, cost INTEGER NOT NULL, ends INTEGER NOT NULL,
    handed INTEGER NOT NULL, starts_at REAL NOT NULL, sent_at REAL NOT NULL);
INSERT INTO texts VALUES (41, 7, '09121234567', 'old', '10004346', NULL, 'sms', 1500, 10, 0, 0, 1);
CREATE TABLE letters (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, recipients TEXT NOT NULL, raw BLOB NOT NULL,
    arrived_at REAL NOT NULL);
INSERT INTO letters VALUES (1, 'a@portal.example', '["alice@example.org"]', CAST('Subject: old' AS BLOB), 1);
"""


def test_a_step_that_breaks_leaves_nothing_behind() -> None:
    store = Store(None)
    store.set_fact("credit", 5)
    with pytest.raises(ZeroDivisionError), store.step():
        store.set_fact("credit", 1)
        with store.step():
            store.run("INSERT INTO bounces (raw, arrived_at) VALUES ('', 0)")
        raise ZeroDivisionError
    assert store.fact("credit", 0) == 5
    assert store.rows("SELECT * FROM bounces") == []
    store.close()


def test_a_folder_of_an_earlier_version_is_read_and_written_on(tmp_path: Path) -> None:
    book = sqlite3.connect(tmp_path / "world.sqlite3")
    book.executescript(OLD)
    book.close()
    running = World().start(tmp_path)
    try:
        Wire(running.url).kavenegar("sms/send", receptor="09121234567", message="again", localid=7)
        Wire(running.url).kavenegar("sms/send", receptor="09121234567", message="new", localid=8)
        send_letter(running.smtp_port)
        assert [(text["operator"], text["text"]) for text in running.sms()] == [
            ("kavenegar", "old"), ("kavenegar", "new"),
        ]  # fmt: skip
        assert [letter["fate"] for letter in running.mail()] == ["kept", "kept"]
        running.stop()
        running.start(tmp_path)
        assert len(running.sms()) == 2
    finally:
        running.stop()
