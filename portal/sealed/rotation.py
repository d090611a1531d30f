"""Turning the keys: every sealed column of every table, found by itself, in small batches beside running saves.

The order of a rotation (as Tink's documentation gives it): add the new key at the end of PII_KEYS everywhere; put it
first everywhere; `rotate`; `verify`; keep the old key until the last backup under it is gone; `retire`.
"""

import base64
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple, cast

from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connection, models, transaction
from psycopg import Cursor

from . import resealing
from .fields import SealedMixin
from .index import companions
from .keys import index_keys, index_ring, ring
from .pipeline import Batches, Block, Pool, Writers
from .resealing import Index
from .sentinel import forget

BATCH = 1000  # rows read at once, and written by one statement
LOCK = 7_413_020_906  # PostgreSQL's advisory lock of whoever turns keys


class Busy(Exception):
    """Somebody else turns the keys of this database just now."""


class Spoilt(Exception):
    """A value that no key opens; the message names its table."""


class Table(NamedTuple):
    """The sealed columns of one table; `purpose` names the key that seals them."""

    model: type[models.Model]
    fields: list[Any]
    purpose: str

    @property
    def name(self) -> str:
        return str(self.model._meta.db_table)

    @property
    def columns(self) -> list[str]:
        return [field.column for field in self.fields]

    @property
    def bound_to(self) -> str:
        """The column that the table's tokens are bound to."""
        key: Any = self.model._meta.pk
        return str(self.model._meta.get_field(getattr(self.fields[0], "bound_to", key.attname)).column)  # type: ignore[union-attr]

    def place(self, field: Any) -> str:
        return f"{self.name}.{field.column}"

    @property
    def examined(self) -> resealing.Columns:
        names, is_bound = [self.place(field) for field in self.fields], isinstance(self.fields[0], SealedMixin)
        return resealing.Columns(self.purpose, names, list(self.indexes), is_bound)

    @property
    def indexes(self) -> dict[str, Any]:
        """The companions by the `table.column` of their value."""
        found = companions(self.model)
        return {self.place(field): found[field.name] for field in self.fields if field.name in found}


Shown = Callable[[str, int, Batches], Batches]  # (table, rows in it, its batches) → the same batches, shown


def tables() -> list[Table]:
    """Every table with a sealed column, and the sessions' payload."""
    found = []
    for model in apps.get_models():
        if fields := [field for field in model._meta.local_concrete_fields if isinstance(field, SealedMixin)]:
            found.append(Table(model, fields, "field"))
    return [*found, Table(Session, [Session._meta.get_field("session_data")], "session")]


# --- the walks --------------------------------------------------------------------------------------------------------


def rotate(shown: Shown, jobs: int) -> int:
    """Seal every value anew that is not under the newest key; how many. A stopped run goes on where it was."""
    kid = ring().masters[0][0]
    with _alone(), _pool(jobs) as pool, Writers(jobs) as writers:
        total = sum(_rotate(table, kid, shown, pool, writers) for table in tables())
        _forget_where(kid)
    return total


def _rotate(table: Table, kid: str, shown: Shown, pool: Pool, writers: Writers) -> int:
    total = 0
    read = _read(table, table.columns, after=_came_to(kid, table))
    made = pool.ahead(resealing.again, table.purpose, read)
    for block, values in _shown(shown, table, writers.ahead(partial(_turn, table, pool), made)):
        total += values
        _note(kid, table, block.last)
    return total


def _turn(table: Table, pool: Pool, block: Block, turned: resealing.Turned) -> int:
    """Write what was sealed anew; where a row was saved meanwhile, the block is read and sealed once more."""
    if turned.bad is not None:
        where = table.place(table.fields[turned.bad])
        raise Spoilt(f"{where} holds a value that no key opens; the run stopped there")
    rows, values = _write(table.model, table.columns, turned.ends, turned.arrays)
    if rows < turned.rows and (block := _block(table, table.columns, (block.first, block.last))).rows:
        values += _turn(table, pool, block, pool.ask(resealing.again, table.purpose, block.text))
    return values


class Census(NamedTuple):
    """Of one table: how many values each key id opens, by column (`bad`: none opens, `moved`: sealed for another
    place), and how many blind indexes are not the newest tag of their value.
    """

    counts: dict[str, Counter[str]]
    drifted: int


def census(shown: Shown, jobs: int, *, mend: bool = False) -> list[Census]:
    """Open every value once. With `mend`, indexes that drifted are written anew."""
    with _pool(jobs) as pool:
        return [_count(table, shown, pool, mend=mend) for table in tables()]


def _count(table: Table, shown: Shown, pool: Pool, *, mend: bool) -> Census:
    kids, drifted = [kid for kid, _ in ring().masters], 0
    counts: dict[str, Counter[str]] = {table.place(field): Counter() for field in table.fields}
    names = [*table.columns, *(index.column for index in table.indexes.values())]
    read = _read(table, names, bound=True)
    for _block, found in _shown(shown, table, pool.ahead(resealing.examine, table.examined, read)):
        for place, seen in zip(counts, found.counts, strict=True):
            for kind, count in seen.items():
                counts[place][kind if isinstance(kind, str) else kids[kind]] += count
        drifted += found.drifted.new
        if mend:
            targets = [index.column for index in table.indexes.values()]
            _write(table.model, targets, found.drifted.ends, found.drifted.arrays())
    return Census(counts, drifted)


def retire(kid: str, shown: Shown, jobs: int) -> int:
    """Let the portal start without an older key of PII_KEYS, unless values need it: then how many do."""
    with _alone():
        needed = sum(count[kid] for found in census(shown, jobs) for count in found.counts.values())
        if not needed:
            forget(ring(), kid)
    return needed


def retire_index(kid: str, shown: Shown, jobs: int) -> int:
    """The same for a key of PII_INDEX_KEYS, which is needed while any index is not under the newest."""
    with _alone():
        needed = sum(found.drifted for found in census(shown, jobs))
        if not needed:
            forget(index_ring(), kid)
    return needed


# --- how a table is walked --------------------------------------------------------------------------------------------


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise Busy("somebody else turns the keys just now; nothing was changed")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _pool(jobs: int) -> Pool:
    keys = {p: [base64.urlsafe_b64encode(key) for key in ring().derive(p)] for p in ("field", "session")}
    indexes = {
        table.place(field): Index(index_keys(index.purpose), index.normalise, index.tag)
        for table in tables()
        for field in table.fields
        if (index := companions(table.model).get(field.name))
    }
    return Pool(jobs, keys, indexes)


def _shown(shown: Shown, table: Table, batches: Batches) -> Batches:
    """The batches themselves, their rows counted where somebody watches."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table.name)}")  # noqa: S608
        rows = cursor.fetchone()[0]
    return shown(table.name, rows, batches)


def _read(table: Table, names: list[str], after: str | None = None, *, bound: bool = False) -> Iterator[Block]:
    """All rows after a key, as they stand when their block is read. Before the values stand the key and PostgreSQL's
    `xmin`, which changes with every write of the row; after them, if asked for, what the row's tokens are bound to.
    """
    while (block := _block(table, names, (after, None), bound=bound)).rows:
        yield block
        after = block.last


def _block(table: Table, names: list[str], part: tuple[str | None, str | None], *, bound: bool = False) -> Block:
    """The next rows after a key, or those from one key to another."""
    quote, field = connection.ops.quote_name, cast(Any, table.model._meta.pk)
    key, kind = quote(field.column), _plain(field)
    columns = [key, "xmin", *map(quote, names), *([f"{quote(table.bound_to)} AS owner"] if bound else [])]
    first, last = part
    where = "TRUE" if first is None else f"{key} > %s::{kind}" if last is None else f"{key} BETWEEN %s AND %s::{kind}"
    rows = f"SELECT {', '.join(columns)} FROM {quote(table.name)} WHERE {where} ORDER BY {key} LIMIT {BATCH}"  # noqa: S608
    # Names come from our own models, never from anybody's input.
    with connection.cursor() as cursor, cursor.copy(f"COPY ({rows}) TO STDOUT", [k for k in part if k]) as copy:
        lines = [bytes(line) for line in copy]
    ends = [lines[place].split(b"\t", 1)[0].decode() for place in (0, -1)] if lines else ["", ""]
    return Block(b"".join(lines), len(lines), *ends)


def _write(model: type[models.Model], targets: list[str], ends: list[str], arrays: list[str]) -> tuple[int, int]:
    """Set `targets` where nobody wrote since the row was read: a save that came meanwhile wins. `arrays` are those of
    resealing.Rows, `ends` its first and last key. How many rows were written, and how many new values.
    """
    if not ends:
        return 0, 0
    quote, fields = connection.ops.quote_name, {field.column: field for field in model._meta.concrete_fields}
    field = cast(Any, model._meta.pk)
    key, kind = f"t.{quote(field.column)}", _plain(field)
    named = {"pk": kind, "version": "xid", "new": "int"}
    named |= {f"n{i}": _plain(fields[name]) for i, name in enumerate(targets)}
    sets = ", ".join(f"{quote(name)} = n.n{i}" for i, name in enumerate(targets))
    with transaction.atomic(), _plain_cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")  # what a crash loses is turned again by the next run
        # The rows stand in the order of their keys; without BETWEEN the planner reads the whole table for each block.
        cursor.execute(
            f"WITH written AS (UPDATE {quote(model._meta.db_table)} AS t SET {sets}"  # noqa: S608
            f" FROM unnest({', '.join(f'%s::{kind}[]' for kind in named.values())}) AS n({', '.join(named)})"
            f" WHERE {key} = n.pk AND t.xmin = n.version AND {key} BETWEEN %s AND %s::{kind} RETURNING n.new)"
            " SELECT count(*), coalesce(sum(new), 0) FROM written",
            [*arrays, *ends],
        )
        rows, values = cursor.fetchone()
    return rows, values


def _plain_cursor() -> Any:
    """psycopg's own, which sends megabytes of arrays beside the statement; Django's puts them into its text."""
    connection.ensure_connection()
    return Cursor(connection.connection)


def _plain(field: Any) -> str:
    """The type of an array's element: a serial column is an integer, a varchar of some length is text."""
    kind = field.db_type(connection)
    return "text" if kind is None or kind.startswith("varchar") else str(kind).replace("serial", "int")


# --- where a stopped run goes on --------------------------------------------------------------------------------------


def _came_to(kid: str, table: Table) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute('SELECT last_pk FROM portal_turned WHERE kid = %s AND "table" = %s', [kid, table.name])
        row = cursor.fetchone()
    return row[0] if row else None


def _note(kid: str, table: Table, pk: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO portal_turned (kid, "table", last_pk) VALUES (%s, %s, %s)'
            ' ON CONFLICT (kid, "table") DO UPDATE SET last_pk = excluded.last_pk',
            [kid, table.name, str(pk)],
        )


def _forget_where(kid: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM portal_turned WHERE kid = %s", [kid])


def cores() -> int:
    return os.cpu_count() or 1
