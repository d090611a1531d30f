"""Turning the keys: every sealed column of every table, found by itself, in small batches beside running saves.

The order of a rotation (as Tink's documentation gives it): add the new key at the end of PII_KEYS everywhere; put it
first everywhere; `rotate`; `verify`; keep the old key until the last backup under it is gone; `retire`.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connection, models

from portal.models import Sentinel

from .fields import SealedMixin
from .index import companions
from .keys import box, boxes, ring

BATCH = 500  # rows read at once, and values written by one statement


class Column(NamedTuple):
    """One column of ciphertext; `purpose` names the key that seals it."""

    model: type[models.Model]
    field: Any
    purpose: str

    @property
    def name(self) -> str:
        return f"{self.model._meta.db_table}.{self.field.column}"


def columns() -> list[Column]:
    """Every sealed column of every model, the sessions' payload and the sentinel."""
    found = [
        Column(model, field, "field")
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, SealedMixin)
    ]
    extra = [(Session, "session_data", "session"), (Sentinel, "token", "field")]
    return found + [Column(model, model._meta.get_field(name), purpose) for model, name, purpose in extra]


def batches(model: type[models.Model], *names: Any) -> Iterator[list[tuple[Any, ...]]]:
    """Rows of raw column values with the primary key first, in its order, as they stand when their batch is read."""
    key: Any = model._meta.pk
    quoted = ", ".join(connection.ops.quote_name(name) for name in (key.column, *names))
    table, pk = connection.ops.quote_name(model._meta.db_table), connection.ops.quote_name(key.column)
    where, params = "", list[Any]()
    while True:
        with connection.cursor() as cursor:
            # Names come from our own models, never from anybody's input.
            cursor.execute(f"SELECT {quoted} FROM {table} {where} ORDER BY {pk} LIMIT {BATCH}", params)  # noqa: S608
            rows = cursor.fetchall()
        if not rows:
            return
        yield rows
        where, params = f"WHERE {pk} > %s", [rows[-1][0]]


def census(progress: Callable[[str], None]) -> dict[str, Counter[str]]:
    """Per column, how many values each key id opens; `bad` are those that none opens."""
    found = {}
    for column in columns():
        count: Counter[str] = Counter()
        opened_by = list(zip([kid for kid, _ in ring().masters], boxes(column.purpose), strict=True))
        for rows in batches(column.model, column.field.column):
            count.update(_opens(token, opened_by) for _pk, token in rows if token is not None)
        found[column.name] = count
        progress(f"{column.name}: {sum(count.values())} values")
    return found


def _opens(token: str, opened_by: list[tuple[str, Fernet]]) -> str:
    for kid, single in opened_by:
        try:
            single.decrypt(token.encode())
        except InvalidToken:
            continue
        return kid
    return "bad"


def rotate(progress: Callable[[str], None]) -> int:
    """Seal every value anew that is not under the newest key; how many. Run it again after a stop: it goes on."""
    total = 0
    for column in columns():
        done = sum(_rotate_batch(column, rows) for rows in batches(column.model, column.field.column))
        total += done
        progress(f"{column.name}: {done} sealed anew")
    return total


def _rotate_batch(column: Column, rows: list[tuple[Any, ...]]) -> int:
    newest, every = boxes(column.purpose)[0], box(column.purpose)
    changes = []
    for pk, token in rows:
        if token is None or _opens(token, [("newest", newest)]) == "newest":
            continue
        changes.append((pk, token, _again(every, column, token)))
    return _write(column.model, column.field.column, column.field.column, changes)


def _again(every: MultiFernet, column: Column, token: str) -> str:
    try:
        return every.rotate(token.encode()).decode()
    except InvalidToken:
        raise LookupError(f"{column.name} holds a value that no key opens; nothing more was changed") from None


def drifted(progress: Callable[[str], None], *, mend: bool) -> int:
    """Blind indexes that are not the newest tag of their value: how many there are, or were mended."""
    total = 0
    for model in apps.get_models():
        for source, index in companions(model).items():
            field: Any = model._meta.get_field(source)
            wrong = 0
            bound_to: Any = model._meta.get_field(field.bound_to)
            for rows in batches(model, field.column, index.column, bound_to.column):
                changes = [
                    (pk, token, tag)
                    for pk, token, now, owner in rows
                    for tag in [next(iter(index.tags(token and field.open(token, str(owner)))), None)]
                    if tag != now
                ]
                wrong += _write(model, index.column, field.column, changes) if mend else len(changes)
            total += wrong
            progress(f"{model._meta.db_table}.{index.column}: {wrong} {'mended' if mend else 'wrong'}")
    return total


def _write(model: type[models.Model], target: Any, witness: Any, changes: list[tuple[Any, Any, Any]]) -> int:
    """Set `target` where `witness` still holds what was read: a save that came meanwhile wins. Rows written."""
    if not changes:
        return 0
    quote, key = connection.ops.quote_name, cast(Any, model._meta.pk)
    kind = {field.column: field.db_type(connection) for field in model._meta.concrete_fields}
    pks, seen, new = (list(part) for part in zip(*changes, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quote(model._meta.db_table)} AS t SET {quote(target)} = u.new"  # noqa: S608
            f" FROM unnest(%s::{_plain(kind[key.column])}[], %s::text[], %s::{_plain(kind[target])}[])"
            " AS u(pk, seen, new)"
            f" WHERE t.{quote(key.column)} = u.pk AND t.{quote(witness)} = u.seen",
            [pks, seen, new],
        )
        return int(cursor.rowcount)


def _plain(kind: str | None) -> str:
    """The type of an array's element: a serial column is an integer, a varchar of some length is text."""
    return "text" if kind is None or kind.startswith("varchar") else kind.replace("serial", "int")
