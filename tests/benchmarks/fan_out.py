"""A broadcast to 100,000 customers by two channels: rows a second, against a bare INSERT … SELECT of the same rows.

Both write the same rows into the same two tables, with their constraints and triggers, on one connection; rounds take
turns, each on fresh tables. Ours writes in chunks that are whole transactions, and leaves out who reads no more.
"""

import re
import statistics
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import customers

CUSTOMERS, ROUNDS, LIMIT = 100_000, 5, 0.7
MEMORY_LIMIT = 16 * 2**20  # bytes

EVENTS = """
INSERT INTO notifications_event
    (id, customer_id, message, purpose, about, key, broadcast_id, language, at)
SELECT event_id, customer_id, %(message)s, 'legal', 'policy:2', 'broadcast:' || broadcast_id || ':' || customer_id,
       broadcast_id, language, now()
FROM notifications_broadcastrecipient WHERE broadcast_id = %(pk)s
"""
DELIVERIES = """
INSERT INTO notifications_delivery
    (id, event_id, reader_id, channel, lane, status, at_account, broadcast_id, tries, not_before, lease_by,
     provider_ref, last_code)
SELECT gen_random_uuid(), event_id, reader_id, channel, 'bulk', 'queued', true, broadcast_id, 0, now(), '', '', ''
FROM notifications_broadcastrecipient CROSS JOIN unnest(ARRAY['email', 'sms']) AS channel
WHERE broadcast_id = %(pk)s
"""


def memory(what: str) -> int:
    """Bytes, of this process."""
    line = re.search(rf"{what}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(line[1]) * 1024  # type: ignore[index]


def fresh() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE notifications_event CASCADE")
        cursor.execute("UPDATE notifications_broadcast SET fanned = 0, fanned_to = 0")
        cursor.execute("CHECKPOINT")


def rows() -> int:
    from notifications.models import Delivery, Event

    return Delivery.objects.count() + Event.objects.count()


def bare(broadcast: Any) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(EVENTS, {"pk": broadcast.pk, "message": broadcast.message})
        cursor.execute(DELIVERIES, {"pk": broadcast.pk})


def ours(broadcast: Any) -> None:
    from notifications import flows

    flows.fan_out(broadcast=broadcast)


def run() -> list[dict[str, Any]]:
    customers.set_up()
    customers.load(CUSTOMERS)
    from django.db import connection

    from accounts.models import Customer
    from notifications import flows
    from tests.base import make_customer
    from tests.notifications.crowds import approved

    staff = make_customer("bench.staff@example.com", "+989127654321", is_staff=True)
    began = time.perf_counter()
    broadcast = approved(staff, audience=Customer.objects.filter(is_staff=False).values("pk"))
    prepared = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE notifications_broadcastrecipient")
    taken: dict[Any, list[float]] = {bare: [], ours: []}
    flows.fan_out(broadcast=broadcast)  # what the first of its kind loads for good
    grown = 0
    for number in range(ROUNDS):
        for way in (bare, ours) if number % 2 else (ours, bare):
            fresh()
            Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
            before, began = memory("VmRSS"), time.perf_counter()
            way(broadcast)
            taken[way].append(time.perf_counter() - began)
            if way is ours:
                grown = max(grown, memory("VmHWM") - before)
            if rows() != 3 * CUSTOMERS:
                raise RuntimeError(f"{way.__name__} wrote {rows()} rows")
    fresh()
    ours(broadcast)
    began = time.perf_counter()
    type(broadcast).objects.update(fanned=0, fanned_to=0)
    again = flows.fan_out(broadcast=broadcast)
    again_took = time.perf_counter() - began
    began = time.perf_counter()
    progress = broadcast.progress()
    counted = time.perf_counter() - began
    began = time.perf_counter()
    missing = type(broadcast).objects.get(pk=broadcast.pk).missing().count()
    looked = time.perf_counter() - began
    if missing or sum(line.all for line in progress) != 2 * CUSTOMERS:
        raise RuntimeError(f"{missing} customers are missing in {progress}")
    speed, reference = (3 * CUSTOMERS / statistics.median(taken[way]) for way in (ours, bare))
    pairs = [theirs / our for our, theirs in zip(taken[ours], taken[bare], strict=True)]
    ratio = statistics.median(pairs)
    return [
        {
            "name": "fan-out to 100,000 customers × 2",
            "value": speed,
            "reference": reference,
            "ratio": ratio,
            "unit": f"rows/s, median of {ROUNDS}; prepared in {prepared:.1f} s, counted in {counted * 1000:.0f} ms,"
            f" those missing found in {looked * 1000:.0f} ms",
            "against": "a bare INSERT … SELECT of the same rows into the same tables",
            "limit": f">={LIMIT}",
            "holds": ratio >= LIMIT,
        },
        {
            "name": "fan-out again",
            "value": again,
            "reference": 2 * CUSTOMERS,
            "ratio": again / (2 * CUSTOMERS),
            "unit": f"deliveries added, in {again_took:.1f} s, its progress forgotten",
            "against": "the deliveries that are there",
            "limit": "<=0",
            "holds": again == 0,
        },
        {
            "name": "memory of a fan-out",
            "value": grown / 2**20,
            "reference": MEMORY_LIMIT / 2**20,
            "ratio": grown / MEMORY_LIMIT,
            "unit": f"MiB that the process grew at its peak, the most of {ROUNDS}",
            "against": "16 MiB for 100,000 customers",
            "limit": "<=1",
            "holds": grown <= MEMORY_LIMIT,
        },
    ]
