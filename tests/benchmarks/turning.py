"""Turning and verifying keys, against bare Fernet on the same tokens and the same cores."""

import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from cryptography.fernet import Fernet

from tests.benchmarks import customers

COUNT, ROUNDS, LIMIT = 50_000, 5, 0.7
_boxes: list[Fernet] = []


def know(keys: list[bytes]) -> None:
    _boxes[:] = [Fernet(key) for key in keys]


def bare_again(tokens: list[str]) -> int:
    """Decrypt and encrypt, and nothing else."""
    old, new = _boxes
    return sum(1 for token in tokens if new.encrypt(old.decrypt(token)))


def bare_open(tokens: list[str]) -> int:
    """Decrypt, and nothing else."""
    return sum(1 for token in tokens if _boxes[0].decrypt(token))


def measure() -> dict[str, list[float]]:
    """Values per second of each, in ROUNDS interleaved rounds on all cores."""
    customers.set_up()
    import base64

    from django.conf import settings
    from django.db import connection

    from accounts.models import Customer
    from portal.sealed import rotation
    from portal.sealed.keys import ring
    from portal.sealed.pipeline import Batches

    customers.load(COUNT)
    names = ", ".join(f'"{field.column}"' for field in Customer._meta.concrete_fields if hasattr(field, "blind_index"))
    jobs, found = rotation.cores(), {name: list[float]() for name in ("rotate", "verify", "bare rotate", "bare open")}

    def unshown(_table: str, _rows: int, batches: Batches) -> Batches:
        return batches

    for number in range(ROUNDS):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {names} FROM accounts_customer")  # noqa: S608 - names of our own columns
            tokens = [token for row in cursor.fetchall() for token in row if token]
        settings.PII_KEYS = f"bench{number}:{os.urandom(32).hex()} {settings.PII_KEYS}"
        new, old = (base64.urlsafe_b64encode(key) for key in ring().derive("field")[:2])
        parts = [tokens[start : start + 5000] for start in range(0, len(tokens), 5000)]
        pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=know, initargs=([old, new],))
        with pool:
            list(pool.map(bare_open, [[tokens[0]]] * jobs))  # the processes are there before the clock runs
            for name, work in (("bare rotate", bare_again), ("bare open", bare_open)):
                start = time.perf_counter()
                assert sum(pool.map(work, parts)) == len(tokens)
                found[name].append(len(tokens) / (time.perf_counter() - start))
        start = time.perf_counter()
        assert rotation.rotate(unshown, jobs) >= len(tokens)
        found["rotate"].append(len(tokens) / (time.perf_counter() - start))
        start = time.perf_counter()
        rotation.census(unshown, jobs)
        found["verify"].append(len(tokens) / (time.perf_counter() - start))
        settings.PII_KEYS = settings.PII_KEYS.split()[0]
    return found


def row(name: str, found: dict[str, list[float]], ours: str) -> dict[str, Any]:
    bare = found["bare rotate"]
    ratio = statistics.median(mine / its for mine, its in zip(found[ours], bare, strict=True))
    of_open = statistics.median(mine / its for mine, its in zip(found[ours], found["bare open"], strict=True))
    return {
        "name": name,
        "value": statistics.median(found[ours]),
        "reference": statistics.median(bare),
        "ratio": ratio,
        "unit": f"values/s on {os.cpu_count()} cores, {COUNT:,} customers of ten values, median of {ROUNDS} rounds",
        "against": f"bare Fernet decrypt and encrypt, no database; {of_open:.2f} of decrypt alone",
        "limit": f">={LIMIT}",
        "holds": ratio >= LIMIT,
    }


def run() -> list[dict[str, Any]]:
    found = measure()
    return [row("pii_keys rotate", found, "rotate"), row("pii_keys verify", found, "verify")]
