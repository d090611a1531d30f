"""Where the outside world remembers: one SQLite file, or memory; and the clock that tests can move."""

import sqlite3
import threading
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

TEHRAN = timezone(timedelta(hours=3, minutes=30))  # Iran keeps one offset all year since 1401

SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS payments (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, gateway TEXT NOT NULL, id TEXT NOT NULL, merchant TEXT NOT NULL,
    order_no TEXT NOT NULL, receipt TEXT, state TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (gateway, id), UNIQUE (gateway, receipt));
CREATE INDEX IF NOT EXISTS payments_order ON payments (gateway, merchant, order_no);
CREATE INDEX IF NOT EXISTS payments_state ON payments (state);
CREATE TABLE IF NOT EXISTS texts (
    messageid INTEGER PRIMARY KEY AUTOINCREMENT, localid INTEGER UNIQUE, receptor TEXT NOT NULL, message TEXT NOT NULL,
    sender TEXT NOT NULL, template TEXT, kind TEXT NOT NULL, cost INTEGER NOT NULL, ends INTEGER NOT NULL,
    handed INTEGER NOT NULL, starts_at REAL NOT NULL, sent_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS letters (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, recipients TEXT NOT NULL, raw BLOB NOT NULL,
    arrived_at REAL NOT NULL);
"""


class Store:
    """One connection shared by all threads; `lock` makes each call of a company one step."""

    def __init__(self, folder: Path | None) -> None:
        self.lock = threading.RLock()
        where = ":memory:"
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            where = str(folder / "world.sqlite3")
        self._db = sqlite3.connect(where, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        # WAL without an fsync a row: a killed process loses nothing, only a power cut could.
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)
        # Numbers are never given twice, not even by a world that forgot the earlier ones.
        if not self.rows("SELECT 1 FROM sqlite_sequence WHERE name = 'texts'"):
            self.run("INSERT INTO sqlite_sequence (name, seq) VALUES ('texts', ?)", [int(time.time())])

    def run(self, sql: str, values: Sequence[object] = ()) -> int:
        """The id of the row that an INSERT made."""
        with self.lock:
            return self._db.execute(sql, tuple(values)).lastrowid or 0

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        with self.lock:
            return self._db.execute(sql, tuple(values)).fetchall()

    def one(self, sql: str, values: Sequence[object] = ()) -> sqlite3.Row | None:
        found = self.rows(sql, values)
        return found[0] if found else None

    def fact(self, name: str, default: int) -> int:
        row = self.one("SELECT value FROM facts WHERE name = ?", [name])
        return int(row["value"]) if row else default

    def set_fact(self, name: str, value: int) -> None:
        self.run("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", [name, value])

    def now(self) -> float:
        """Seconds since 1970 on the world's own clock."""
        return time.time() + self.fact("clock_ahead_s", 0)

    def advance(self, seconds: int) -> None:
        with self.lock:
            self.set_fact("clock_ahead_s", self.fact("clock_ahead_s", 0) + seconds)

    def forget_everything(self) -> None:
        with self.lock:
            for table in ("facts", "payments", "texts", "letters"):
                self.run(f"DELETE FROM {table}")  # noqa: S608 - names from this file only

    def close(self) -> None:
        with self.lock:
            self._db.close()


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def tehran(moment: float) -> str:
    return datetime.fromtimestamp(moment, TEHRAN).strftime("%Y-%m-%d %H:%M:%S")


def is_day(text: str) -> bool:
    """YYYY-MM-DD and no other way to write it."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
