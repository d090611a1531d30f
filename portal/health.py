"""What `manage.py doctor` asks of the building itself. Each room has such a list of its own in `health.py`."""

import shutil
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from portal.celery import QUEUES, app, broker_answers
from portal.sealed import files
from portal.sealed.keys import index_ring, ring
from portal.sealed.sentinel import guard


class Sick(Exception):
    """Something is wrong; the text says what and what to do."""


def database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0]
    executor = MigrationExecutor(connection)
    if waiting := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise Sick(f"{len(waiting)} migrations wait; run `manage.py migrate`")
    return f"PostgreSQL {version}, all migrations applied"


def keys() -> str:
    guard()
    return "; ".join(f"{r.setting} {', '.join(kid for kid, _ in r.masters)}" for r in (ring(), index_ring()))


def broker() -> str:
    if not broker_answers():
        raise Sick("Redis does not answer; mail and SMS still leave by the relay, but later")
    return "Redis answers"


def workers() -> str:
    queues = {q["name"] for found in (app.control.inspect(timeout=2).active_queues() or {}).values() for q in found}
    if missing := set(QUEUES) - queues:
        raise Sick(f"no worker takes {', '.join(sorted(missing))}")
    return f"workers take {', '.join(sorted(queues))}"


def storage() -> str:
    stored = files.put(b"doctor", aad=b"doctor")
    try:
        if files.get(stored.name, stored.key, aad=b"doctor") != b"doctor":
            raise Sick("a sealed file did not come back whole")
    finally:
        files.shred(stored.name)
    free = shutil.disk_usage(Path(settings.DATA_DIR)).free // 2**20
    if free < 500:
        raise Sick(f"only {free} MiB are free under DATA_DIR")
    return f"a sealed file came back whole; {free} MiB free"


CHECKS: dict[str, Callable[[], str]] = {
    "database": database,
    "keys": keys,
    "broker": broker,
    "workers": workers,
    "storage": storage,
}
