"""The arithmetic of turning keys, in processes of their own that know the keys and nothing else of the portal."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from cryptography.fernet import Fernet, InvalidToken

BINDING = 16  # bytes before the value (portal/sealed/fields.py)
BAD = -1  # no key opens this token


class Index(NamedTuple):
    """How a column's companion is made: its keys, newest first; the normaliser; what is kept of the HMAC."""

    keys: list[bytes]
    normalise: Callable[[str], str]
    tag: Callable[[bytes], Any]


class Columns(NamedTuple):
    """What stands in a row that is examined, after its key and version: tokens of these columns (`table.column`), then
    the companions of those in `indexed`, then what the tokens are bound to, unless nothing binds them.
    """

    purpose: str
    names: list[str]
    indexed: list[str]
    is_bound: bool


class Rows:
    """What is to be written: of each row its key, its version, how many of its values are new, and its values."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, ...]] = []

    def add(self, key: str, version: str, new: int, values: list[str]) -> None:
        self.rows.append((key, version, str(new), *values))

    @property
    def ends(self) -> list[str]:
        """The first key and the last; nothing for no rows."""
        return [self.rows[0][0], self.rows[-1][0]] if self.rows else []

    @property
    def new(self) -> int:
        return sum(int(row[2]) for row in self.rows)

    def arrays(self) -> list[str]:
        """As array literals of PostgreSQL (manual, 8.15.2): key, version, new, then each column."""
        return [f"{{{','.join(column).replace(NOTHING, 'NULL')}}}" for column in zip(*self.rows, strict=True)]


class Turned(NamedTuple):
    """How many rows are to be written, from which key to which, and their arrays; `bad` is the place of a column with a
    value that no key opens, and then nothing is to be written.
    """

    rows: int
    ends: list[str]
    arrays: list[str]
    bad: int | None


class Found(NamedTuple):
    """Of some rows: by column how many values each key opens (its place, or `moved`, or `bad`), and the rows with a
    companion that is not the newest tag of its value, with all their companions as they should be.
    """

    counts: list[Counter[int | str]]
    drifted: Rows


_boxes: dict[str, list[Fernet]] = {}
_indexes: dict[str, Index] = {}
_likely: dict[str, int] = {}  # which key opened the last token of this purpose


def know(keys: dict[str, list[bytes]], indexes: dict[str, Index]) -> None:
    """Start of a process: Fernet keys by purpose, newest first, and the indexes by `table.column`."""
    _boxes.update({purpose: [Fernet(key) for key in each] for purpose, each in keys.items()})
    _indexes.update(indexes)


# Rows come as PostgreSQL's COPY text (manual, COPY, "Text Format"): a line a row, tabs between, NOTHING for no value.
# Tokens, keys and tags hold nothing that this format or an array literal would escape.
NOTHING = "\\N"


def again(purpose: str, block: bytes) -> Turned:
    """Every row of `block` (key, version, tokens) of which a token is not under the newest key, with new ones."""
    newest, rows = _boxes[purpose][0].encrypt_at_time, Rows()
    for line in block.decode().splitlines():
        key, version, *values = line.split("\t")
        new = 0
        for column, token in enumerate(values):
            if token != NOTHING:
                place, inside = _open(purpose, token)
                if place == BAD:
                    return Turned(0, [], [], column)
                if place != 0:
                    # The time is 0, so that a dump does not say for whom keys were turned when.
                    values[column] = newest(inside, 0).decode()
                    new += 1
        if new:
            rows.add(key, version, new, values)
    return Turned(len(rows.rows), rows.ends, rows.arrays(), None)


def examine(columns: Columns, block: bytes) -> Found:
    """Open every value of these rows once."""
    found = Found([Counter() for _ in columns.names], Rows())
    width, indexed = len(columns.names), {column: place for place, column in enumerate(columns.indexed)}
    for line in block.decode().splitlines():
        key, version, *values = line.split("\t")
        stored = values[width : width + len(indexed)]
        tags = list(stored)
        for column, token, counts in zip(columns.names, values, found.counts, strict=False):
            kind, tag = (None, NOTHING) if token == NOTHING else _examine(columns, column, token, values[-1])
            if kind is not None:
                counts[kind] += 1
            if column in indexed and kind not in ("bad", "moved"):
                tags[indexed[column]] = tag
        if wrong := sum(1 for was, tag in zip(stored, tags, strict=True) if was != tag):
            found.drifted.add(key, version, wrong, tags)
    return found


def _examine(columns: Columns, column: str, token: str, owner: str) -> tuple[int | str, str]:
    place, inside = _open(columns.purpose, token)
    if place == BAD:
        return "bad", NOTHING
    if columns.is_bound and not inside.startswith(binding(column, owner)):
        return "moved", NOTHING
    if not (index := _indexes.get(column)):
        return place, NOTHING
    normal = index.normalise(inside[BINDING:].rstrip(b"\0")[:-1].decode())
    return place, str(index.tag(hmac.digest(index.keys[0], normal.encode(), "sha256"))) if normal else NOTHING


def binding(column: str, owner: str) -> bytes:
    """The bytes that stand before a value of this `table.column` in the row of this owner."""
    return hashlib.sha256(f"{column}:{owner}".encode()).digest()[:BINDING]


def _open(purpose: str, token: str) -> tuple[int, bytes]:
    """Neighbours are mostly under one key, so the key of the last one is tried first."""
    boxes, likely = _boxes[purpose], _likely.get(purpose, 0)
    try:
        return likely, boxes[likely].decrypt(token)
    except InvalidToken:
        pass
    for place, box in enumerate(boxes):
        try:
            inside = box.decrypt(token)
        except InvalidToken:
            continue
        _likely[purpose] = place
        return place, inside
    return BAD, b""
