"""Turning the keys: every sealed column of every table, found by itself, in small batches beside running saves.

The order of a rotation (as Tink's documentation gives it): add the new key at the end of PII_KEYS everywhere; put it
first everywhere; `rotate`; `verify`; keep the old key until the last backup under it is gone; `retire`.
"""

import base64
import multiprocessing
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple, Self, cast

from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connection, models, transaction

from . import resealing
from .fields import SealedMixin
from .index import companions
from .keys import index_keys, index_ring, ring
from .resealing import BAD, Index
from .sentinel import forget

BATCH = 500  # rows read at once, and written by one statement
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

    def values(self, rows: list[Any]) -> list[tuple[str, str | None, bytes]]:
        """Each value of rows that were read with `bound_to` last, as `resealing.examine` takes it."""
        return [
            (self.place(field), token, field.binding(str(row[-1])) if isinstance(field, SealedMixin) else b"")
            for row in rows
            for token, field in zip(row[1:], self.fields, strict=False)
        ]


Batches = Iterator[tuple[list[Any], list[Any]]]  # rows as they were read, and what the processes made of them
Shown = Callable[[str, int, Batches], Batches]  # (table, rows in it, its batches) → the same batches, shown


class Pool:
    """Processes that do the arithmetic while this one reads and writes. Fresh ones: a fork would share our connection
    to the database.
    """

    def __init__(self, jobs: int, *knowledge: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self.depth = 2 * jobs
        self.processes = ProcessPoolExecutor(jobs, context, initializer=resealing.know, initargs=knowledge)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.processes.shutdown(cancel_futures=True)

    def ask(self, work: Callable[..., list[Any]], purpose: str, values: list[Any]) -> list[Any]:
        return self.processes.submit(work, purpose, values).result()

    def ahead(
        self,
        work: Callable[..., list[Any]],
        purpose: str,
        read: Iterable[list[Any]],
        values: Callable[[list[Any]], list[Any]],
    ) -> Batches:
        """Each batch with its answers, in order; a few batches are under way at once."""
        waiting: deque[tuple[list[Any], Future[list[Any]]]] = deque()
        for rows in read:
            waiting.append((rows, self.processes.submit(work, purpose, values(rows))))
            if len(waiting) > self.depth:
                done, answer = waiting.popleft()
                yield done, answer.result()
        while waiting:
            done, answer = waiting.popleft()
            yield done, answer.result()


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
    with _alone(), _pool(jobs) as pool:
        total = sum(_rotate(table, kid, shown, pool) for table in tables())
        _forget_where(kid)
    return total


def _rotate(table: Table, kid: str, shown: Shown, pool: Pool) -> int:
    total = 0
    read = _read(table, table.columns, after=_came_to(kid, table))
    for rows, tokens in _shown(shown, table, pool.ahead(resealing.again, table.purpose, read, _tokens)):
        with transaction.atomic():
            total += _turn(table, rows, tokens, pool)
            _note(kid, table, rows[-1][0])
    return total


def _turn(table: Table, rows: list[Any], tokens: list[Any], pool: Pool) -> int:
    """Write what was sealed anew; a row that was saved meanwhile is read and sealed once more."""
    width, changes = len(table.fields), []
    if BAD in tokens:
        where = table.place(table.fields[tokens.index(BAD) % width])
        raise Spoilt(f"{where} holds a value that no key opens; nothing more was changed")
    for place, row in enumerate(rows):
        new = tokens[place * width : (place + 1) * width]
        if any(new):
            changes.append((row, [token or old for token, old in zip(new, row[1:], strict=True)]))
    written = _write(table.model, table.columns, table.columns, changes)
    done = sum(1 for row, new in changes if row[0] in written for token in new if token not in row)
    if missed := [row[0] for row, _new in changes if row[0] not in written]:
        rows = _rows(table, table.columns, "= ANY(%s)", [missed])
        done += _turn(table, rows, pool.ask(resealing.again, table.purpose, _tokens(rows)), pool) if rows else 0
    return done


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
    kids = [kid for kid, _ in ring().masters]
    counts: dict[str, Counter[str]] = {table.place(field): Counter() for field in table.fields}
    indexes: dict[str, Any] = companions(table.model)
    names = [*table.columns, *(index.column for index in indexes.values()), table.bound_to]
    read = _read(table, names)
    drifted = 0
    for rows, values in _shown(shown, table, pool.ahead(resealing.examine, table.purpose, read, table.values)):
        found = iter(values)
        wrong: dict[str, list[Any]] = {source: [] for source in indexes}
        for row in rows:
            tags = dict(zip(indexes, row[1 + len(table.fields) :], strict=False))
            for token, field, seen in zip(row[1:], table.fields, found, strict=False):
                if seen is not None:
                    kind = "bad" if seen.key == BAD else "moved" if seen.is_moved else kids[seen.key]
                    counts[table.place(field)][kind] += 1
                tag = seen and seen.tag
                if (
                    field.name in indexes
                    and not (seen and (seen.is_moved or seen.key == BAD))
                    and tags[field.name] != tag
                ):
                    wrong[field.name].append(((row[0], token), [tag]))
        for source, changes in wrong.items():
            sealed: Any = table.model._meta.get_field(source)
            index: Any = indexes[source]
            drifted += len(_write(table.model, [index.column], [sealed.column], changes)) if mend else len(changes)
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


def _tokens(rows: list[Any]) -> list[Any]:
    return [token for row in rows for token in row[1:]]


def _read(table: Table, names: list[str], after: str | None = None) -> Iterator[list[Any]]:
    """Rows of raw column values with the primary key first, in its order, as they stand when their batch is read."""
    key: Any = table.model._meta.pk
    where, params = (f"> %s::{_plain(key)}", [after]) if after is not None else ("IS NOT NULL", list[Any]())
    while rows := _rows(table, names, where, params, limit=BATCH):
        yield rows
        where, params = "> %s", [rows[-1][0]]


def _rows(table: Table, names: list[str], where: str, params: list[Any], limit: int | None = None) -> list[Any]:
    quote, key = connection.ops.quote_name, cast(Any, table.model._meta.pk)
    columns, pk = ", ".join(quote(name) for name in (key.column, *names)), quote(key.column)
    with connection.cursor() as cursor:
        # Names come from our own models, never from anybody's input.
        cursor.execute(
            f"SELECT {columns} FROM {quote(table.name)} WHERE {pk} {where} ORDER BY {pk} LIMIT {limit or 'ALL'}",  # noqa: S608
            params,
        )
        return list(cursor.fetchall())


def _write(model: type[models.Model], targets: list[str], witnesses: list[str], changes: list[Any]) -> set[Any]:
    """Set `targets` where `witnesses` still hold what was read: a save that came meanwhile wins. The keys written.

    `changes` are ((pk, what each witness held), [what each target gets]).
    """
    if not changes:
        return set()
    quote, fields = connection.ops.quote_name, {field.column: field for field in model._meta.concrete_fields}
    key = cast(Any, model._meta.pk)
    named = [("pk", fields[key.column]), *((f"s{i}", fields[name]) for i, name in enumerate(witnesses))]
    named += [(f"n{i}", fields[name]) for i, name in enumerate(targets)]
    values = zip(*((*row[: 1 + len(witnesses)], *new) for row, new in changes), strict=True)
    sets = ", ".join(f"{quote(name)} = u.n{i}" for i, name in enumerate(targets))
    held = " AND ".join(f"t.{quote(name)} IS NOT DISTINCT FROM u.s{i}" for i, name in enumerate(witnesses))
    arrays = ", ".join(f"%s::{_plain(field)}[]" for _name, field in named)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quote(model._meta.db_table)} AS t SET {sets}"  # noqa: S608
            f" FROM unnest({arrays}) AS u({', '.join(name for name, _field in named)})"
            f" WHERE t.{quote(key.column)} = u.pk AND {held} RETURNING u.pk",
            [list(column) for column in values],
        )
        return {pk for (pk,) in cursor.fetchall()}


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
