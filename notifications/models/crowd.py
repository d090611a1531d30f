"""Rows for many customers at once, written by the database from what it holds: no row passes through this process."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models

from .broadcasts import Broadcast, BroadcastRecipient
from .outbox import Delivery, Event


class Sql(str):
    """An expression; any other value is handed over as a parameter."""

    __slots__ = ()


def write_snapshot(broadcast: Broadcast, pairs: models.QuerySet[Any, Any]) -> int:
    """Who is to be told, from (customer, reader, language) as `reader_ids` gives them; how many."""
    try:
        found, params = pairs.query.sql_with_params()
    except EmptyResultSet:  # Django knows by itself that nobody is meant
        return 0
    given = {
        "broadcast": broadcast.pk,
        "customer": Sql("customer"),
        "reader": Sql("reader"),
        "language": Sql("language"),
        # One event a customer, however many read it.
        "event_id": Sql(f"md5('broadcast:{broadcast.pk}:' || customer)::uuid"),
    }
    # In the order of customers, so that a company's readers stand together.
    rest = f"({found}) AS pairs (customer, reader, language) ORDER BY customer"
    return _insert(BroadcastRecipient, given, rest, params)


def write_out(
    broadcast: Broadcast,
    last: int,
    pairs: models.QuerySet[Any, Any],
    *,
    event: dict[str, Any],
    delivery: dict[str, Any],
    channels: Sequence[str],
    not_before: dt.datetime,
) -> int:
    """The recipients after `fanned_to` up to `last` into the outbox, whatever of it is there already; how many
    deliveries were added.

    `pairs` are those who still read for these customers: for who does not any more it is written down that nothing is
    sent. `event` and `delivery` hold what is the same for all their rows.
    """
    part = Sql(f"{BroadcastRecipient._meta.db_table} WHERE broadcast_id = %s AND id > %s AND id <= %s")
    bounds = (broadcast.pk, broadcast.fanned_to, last)
    given = {
        "id": Sql("event_id"),
        "customer": Sql("customer_id"),
        "language": Sql("language"),
        "key": Sql("'broadcast:' || broadcast_id || ':' || customer_id"),
        "at": Sql("now()"),
        "broadcast": broadcast.pk,
        **event,
    }
    # In the order of customers, as everywhere; one of the readers of a company is enough.
    once = f"{part} ORDER BY notifications_broadcastrecipient.id ON CONFLICT (key) DO NOTHING"
    _insert(Event, given, once, bounds)

    with connection.cursor() as cursor:  # a chunk is found by its keys, however large a share of all it is
        cursor.execute("SET LOCAL enable_seqscan = off")
    still, params = pairs.query.sql_with_params()
    given = {
        "id": Sql("gen_random_uuid()"),
        "event": Sql("part.event_id"),
        "reader": Sql("part.reader_id"),
        "channel": Sql("channel"),
        "status": Sql("CASE WHEN still.reader IS NULL THEN 'suppressed' ELSE 'queued' END"),
        "last_code": Sql("CASE WHEN still.reader IS NULL THEN 'reader-left' ELSE '' END"),
        "not_before": Sql("CASE WHEN still.reader IS NOT NULL THEN at END"),
        "broadcast": broadcast.pk,
        "at_account": True,
        **delivery,
    }
    rest = (
        f"(SELECT * FROM {part}) AS part"  # noqa: S608
        f" LEFT JOIN ({still}) AS still (customer, reader, language)"
        " ON still.customer = part.customer_id AND still.reader = part.reader_id"
        " CROSS JOIN unnest(%s::text[]) AS channel CROSS JOIN (VALUES (%s::timestamptz)) AS turn (at)"
        " ORDER BY part.id ON CONFLICT (event_id, channel, reader_id) DO NOTHING"
    )
    return _insert(Delivery, given, rest, (*bounds, *params, list(channels), not_before))


def _insert(model: type[models.Model], given: dict[str, Any], rest: str, params: Any) -> int:
    """INSERT … SELECT of `given` (by field) FROM `rest`; every other field gets its own default, so that a new column
    needs no word here. How many rows were added.
    """
    columns: list[str] = []
    values: list[str] = []
    own: list[Any] = []
    for field in model._meta.concrete_fields:
        value = given.get(field.name, field)
        if value is field and (field.has_db_default() or isinstance(field, models.AutoField)):
            continue
        columns.append(str(field.column))
        values.append(value if isinstance(value, Sql) else "%s")
        if not isinstance(value, Sql):
            own.append(field.get_db_prep_save(field.get_default() if value is field else value, connection))
    statement = (
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)})"  # noqa: S608
        f" SELECT {', '.join(values)} FROM {rest}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*own, *params])
        return int(cursor.rowcount)
