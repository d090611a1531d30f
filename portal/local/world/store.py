"""Where the outside world remembers: one SQLite file, kept or thrown away; and the clock that tests can move."""

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
CREATE TABLE IF NOT EXISTS bounces (seq INTEGER PRIMARY KEY AUTOINCREMENT, raw BLOB NOT NULL, arrived_at REAL NOT NULL);
"""
# What tables got after a folder may have been made: table, column and how it is declared.
LATER = [
    ("texts", "operator", "TEXT NOT NULL DEFAULT 'kavenegar'"),
    ("texts", "back_at", "REAL"),
    ("texts", "untold", "INTEGER NOT NULL DEFAULT 0"),
    ("letters", "message_id", "TEXT NOT NULL DEFAULT ''"),
    ("letters", "fate", "TEXT NOT NULL DEFAULT 'kept'"),
]
INDEXES = """
CREATE INDEX IF NOT EXISTS texts_back ON texts (operator, back_at) WHERE back_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS texts_untold ON texts (messageid) WHERE untold = 1;
"""


class Store:
    """One connection shared by all threads; `step` makes each call of a company one transaction."""

    def __init__(self, folder: Path | None) -> None:
        self.lock = threading.RLock()
        # SQLite's own temporary file, which goes with the process: thousands of letters need no memory.
        where = ""
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            where = str(folder / "world.sqlite3")
        self._db = sqlite3.connect(where, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        # WAL without an fsync a row: a killed process loses nothing, only a power cut could.
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)
        for table, column, declared in LATER:
            if column not in {row["name"] for row in self.rows(f"PRAGMA table_info({table})")}:
                self.run(f"ALTER TABLE {table} ADD COLUMN {column} {declared}")
        self._db.executescript(INDEXES)
        # Numbers are never given twice, not even by a world that forgot the earlier ones.
        if not self.rows("SELECT 1 FROM sqlite_sequence WHERE name = 'texts'"):
            self.run("INSERT INTO sqlite_sequence (name, seq) VALUES ('texts', ?)", [int(time.time())])
        # Read so often that asking the database each time would be the slowest part of a call.
        self._facts = self._read_facts()

    @contextmanager
    def step(self) -> Iterator[None]:
        """All of what is written inside, or nothing of it."""
        with self.lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                self._facts = self._read_facts()
                raise
            self._db.execute("COMMIT")

    def run(self, sql: str, values: Sequence[object] = ()) -> int:
        """The id of the row that an INSERT made."""
        with self.lock:
            return self._db.execute(sql, tuple(values)).lastrowid or 0

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        with self.lock:
            return self._db.execute(sql, tuple(values)).fetchall()

    def one(self, sql: str, values: Sequence[object] = ()) -> sqlite3.Row | None:
        with self.lock:
            found: sqlite3.Row | None = self._db.execute(sql, tuple(values)).fetchone()
            return found

    def fact(self, name: str, default: int) -> int:
        return self._facts.get(name, default)

    def set_fact(self, name: str, value: int) -> None:
        with self.lock:
            self.run("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", [name, value])
            self._facts[name] = value

    def add_to_fact(self, name: str, default: int, change: int) -> None:
        if change:
            self.set_fact(name, self.fact(name, default) + change)

    def now(self) -> float:
        """Seconds since 1970 on the world's own clock."""
        return time.time() + self.fact("clock_ahead_s", 0)

    def advance(self, seconds: int) -> None:
        with self.lock:
            self.set_fact("clock_ahead_s", self.fact("clock_ahead_s", 0) + seconds)

    def forget_everything(self) -> None:
        with self.step():
            for table in ("facts", "payments", "texts", "letters", "bounces"):
                self.run(f"DELETE FROM {table}")  # noqa: S608 - names from this file only
            self._facts = {}

    def _read_facts(self) -> dict[str, int]:
        return {row["name"]: int(row["value"]) for row in self.rows("SELECT name, value FROM facts")}

    def close(self) -> None:
        with self.lock:
            self._db.close()


def utc(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)


def iso(moment: float) -> str:
    return utc(moment).isoformat(timespec="milliseconds")


def tehran(moment: float) -> str:
    return datetime.fromtimestamp(moment, TEHRAN).strftime("%Y-%m-%d %H:%M:%S")


def is_day(text: str) -> bool:
    """YYYY-MM-DD and no other way to write it."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
