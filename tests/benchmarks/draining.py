"""A broadcast drained by two workers, against the same calls and letters with no database; and codes told meanwhile.

The reference calls the same stand-in by as many processes: texts by the same client, 200 in a call, and letters that
the same code composes, over SMTP connections that stay open. What ours adds is claiming, opening addresses, the rate of
each company, outcomes and tries: each message once whatever dies.
"""

import contextlib
import os
import re
import smtplib
import statistics
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks import customers, shop
from tests.world_client import World

CUSTOMERS, WORKERS, ROUNDS, LIMIT = 4_000, 2, 5, 0.6
CROWD = 12_000  # among whom the codes find their way
CODES, EVERY, CODE_LIMIT = 200, 0.05, 1.0  # seconds
GROWTH_LIMIT = 16 * 2**20  # bytes, of all workers
TEXTS_AT_ONCE = 200
PATIENCE = 120


class Part(NamedTuple):
    """What one process of the reference sends: (mobile, e-mail address, our number) each, and the words."""

    readers: list[tuple[str, str, int]]
    sms: str
    subject: str
    text: str
    html: str


def drained(_part: Any) -> tuple[float, float]:
    """In a process of its own, what a worker does with a hint: from when to when it took."""
    from notifications import flows

    began = time.perf_counter()
    flows.drain("bulk")
    return began, time.perf_counter()


def sent(part: Part) -> tuple[float, float]:
    """The reference, in a process of its own."""
    from django.conf import settings
    from django.utils import timezone

    from notifications.channels import Text, kavenegar, smtp

    began = time.perf_counter()
    company = kavenegar.carrier()
    for first in range(0, len(part.readers), TEXTS_AT_ONCE):
        company.send_texts([Text(to, part.sms, ref) for to, _, ref in part.readers[first : first + TEXTS_AT_ONCE]])
    form = smtp.Form(sender=settings.EMAIL_FROM, subject=part.subject, text=part.text, html=part.html, language="fa")
    at = timezone.now()
    with smtplib.SMTP(settings.SMTP["host"], settings.SMTP["port"], local_hostname="localhost") as server:
        for _mobile, to, _ref in part.readers:
            letter = form.letter(to=to, message_id=f"<{uuid.uuid4()}@localhost>", at=at)
            server.sendmail(letter.sender, [letter.to], letter.content)
    return began, time.perf_counter()


def parts_of(broadcast: Any) -> list[Part]:
    from notifications.flows.broadcasts import as_event
    from notifications.messages import render
    from notifications.models import Channel

    event = as_event(broadcast, "fa")
    letter, sms = render(event, Channel.EMAIL), render(event, Channel.SMS)
    people = [customers.person(number) for number in range(CUSTOMERS)]
    readers = [(each["mobile"], each["email"], 10**17 + number) for number, each in enumerate(people)]
    words = sms.text, letter.subject, letter.text, letter.html
    return [Part(readers[first::WORKERS], *words) for first in range(WORKERS)]


def fresh(world: World, broadcast: Any) -> None:
    """Nobody was told anything; the stand-in forgets too."""
    from django.db import connection

    from notifications import flows
    from notifications.models import Broadcast, Carrier

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE notifications_event CASCADE")
    Broadcast.objects.filter(pk=broadcast.pk).update(fanned=0, fanned_to=0)
    flows.fan_out(broadcast=broadcast)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_delivery, notifications_event")
        cursor.execute("CHECKPOINT")
    # How many a second a company takes is its contract's business, not what is measured here.
    Carrier.objects.update(per_second=10**6, burst=10**6, tokens=10**6)
    world.reset()
    world.credit(10**12)


def check_books(world: World, refs: set[int]) -> None:
    """Each of our numbers once, and as many letters, none twice."""
    sms, mail, ids = world.sms_summary(), world.mail_summary(), world.sms_localids()
    if sms["doubles"] or sms["repeats"] or len(ids) != len(refs) or set(ids) != refs:
        raise RuntimeError(f"of {len(refs)} texts the operator has {sms}")
    if mail["doubles"] or not mail["count"] == mail["distinct_message_ids"] == len(refs):
        raise RuntimeError(f"of {len(refs)} letters the mail server has {mail}")


def our_refs() -> set[int]:
    """Once all are sent, each at its first try."""
    from notifications.models import Attempt, Delivery

    ours, tries = Delivery.objects.filter(lane="bulk"), Attempt.objects.filter(delivery__lane="bulk")
    left = ours.exclude(status__in=("accepted", "delivered")).count()
    if left or tries.filter(outcome="accepted").count() != ours.count() or tries.exclude(outcome="accepted").exists():
        raise RuntimeError(f"{left} of {ours.count()} are not accepted at once")
    return set(ours.filter(channel="sms").values_list("local_ref", flat=True))


def draining(world: World, broadcast: Any) -> dict[str, Any]:
    rates, parts = [], parts_of(broadcast)
    with shop.processes(WORKERS) as each:

        def rate(work: Any, given: list[Any]) -> float:
            fresh(world, broadcast)
            spans = each(work, given)
            check_books(world, our_refs() if work is drained else {ref for part in parts for *_, ref in part.readers})
            return 2 * CUSTOMERS / (max(end for _, end in spans) - min(began for began, _ in spans))

        sides = [(drained, [None] * WORKERS), (sent, parts)]
        for number in range(ROUNDS + 1):  # now one first, now the other; the first round warms up
            found = {work: rate(work, given) for work, given in (sides if number % 2 else reversed(sides))}
            rates.append((found[drained], found[sent]))
    value, reference = (statistics.median(column) for column in zip(*rates[1:], strict=True))
    ratio = statistics.median(ours / bare for ours, bare in rates[1:])
    return {
        "name": f"draining {CUSTOMERS:,} customers × 2, {WORKERS} workers",
        "value": value,
        "reference": reference,
        "ratio": ratio,
        "unit": f"deliveries/s, median of {ROUNDS}; the books of both agree, nothing twice",
        "against": "the same calls and letters by as many processes, with no database",
        "rounds": rates[1:],
        "limit": f">={LIMIT}",
        "holds": ratio >= LIMIT,
    }


@contextlib.contextmanager
def workers() -> Iterator[list[int]]:
    """The relay and a worker for each lane, as `make run` starts them; their process ids."""
    from portal.local import stack
    from portal.local.room import Room

    folder = Path(os.environ["DATA_DIR"]).resolve()
    wanted = {"relay", *(f"worker-{lane}" for lane in stack.THREADS)}
    children = [child for child in stack.processes(Room(folder), dict(os.environ), 0) if child.name in wanted]
    started = []
    try:
        for child in children:
            child.log.parent.mkdir(parents=True, exist_ok=True)
            with child.log.open("ab") as log:
                command = [str(part) for part in child.command]
                started.append(subprocess.Popen(command, env=child.env, cwd=child.cwd, stdout=log, stderr=log))
        yield [process.pid for process in started]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def memory(pids: list[int]) -> int:
    """Bytes that they hold together."""
    lines = (re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text()) for pid in pids)
    return sum(int(line[1]) * 1024 for line in lines if line)


def sent_of(lane: str) -> int:
    from notifications.models import Delivery

    return Delivery.objects.filter(lane=lane, status__in=("accepted", "delivered")).count()


def wait_until(done: Any, seconds: float, what: str) -> None:
    ends = time.monotonic() + seconds
    while not done():
        if time.monotonic() > ends:
            raise RuntimeError(f"{what} did not happen within {seconds} s")
        time.sleep(0.1)


def tell_code(customer: Any, number: int) -> None:
    from django.db import transaction

    from notifications.flows import tell

    with transaction.atomic():
        tell(customer, "phone_code", about=f"code:{number}", context={"code": f"{number:06d}"})


def codes(world: World, broadcast: Any, customer: Any) -> list[dict[str, Any]]:
    """Told at a steady pace while the workers are busy with a broadcast."""
    from notifications.models import Attempt, Broadcast, Carrier

    fresh(world, broadcast)
    total, load = 2 * CROWD, os.getloadavg()[0]
    Carrier.objects.update(per_second=1000, burst=2000, tokens=2000)  # as they are when nobody changed them
    Broadcast.objects.filter(pk=broadcast.pk).update(status="paused")
    with workers() as pids:
        tell_code(customer, 0)  # all of them are awake when it goes through
        wait_until(lambda: sent_of("codes") == 1, PATIENCE, "a code's way")
        Broadcast.objects.filter(pk=broadcast.pk).update(status="sending")
        wait_until(lambda: sent_of("bulk") >= total / 10, PATIENCE, "the broadcast's first tenth")
        before, began, before_codes = memory(pids), time.perf_counter(), sent_of("bulk")
        for number in range(1, CODES + 1):
            tell_code(customer, number)
            time.sleep(max(0.0, began + number * EVERY - time.perf_counter()))
        meanwhile, took = sent_of("bulk") - before_codes, time.perf_counter() - began
        if meanwhile + before_codes >= total:
            raise RuntimeError("the broadcast was over before the codes were")
        wait_until(lambda: sent_of("bulk") == total and sent_of("codes") == CODES + 1, 600, "the broadcast's end")
        grown = memory(pids) - before
    if world.sms_summary()["doubles"] or set(world.sms_localids()) != our_refs():
        raise RuntimeError("the operator's books are not ours")
    tries = Attempt.objects.filter(delivery__lane="codes", outcome="accepted").exclude(delivery__event__about="code:0")
    moments = tries.values_list("delivery__event__at", "finished_at")
    waits = sorted((accepted - told).total_seconds() for told, accepted in moments)
    slow = statistics.quantiles(waits, n=100)[98]
    return [
        {
            "name": "codes while a broadcast drains, p99",
            "value": slow,
            "reference": CODE_LIMIT,
            "ratio": slow / CODE_LIMIT,
            "unit": f"s from told to accepted, of {len(waits)} codes, median {statistics.median(waits):.3f} s,"
            f" slowest {waits[-1]:.3f} s; {meanwhile / took:.0f} of the broadcast a second meanwhile;"
            f" load {load:.1f} before",
            "against": f"{CODE_LIMIT:.0f} s",
            "limit": "<=1",
            "holds": slow <= CODE_LIMIT,
        },
        {
            "name": "memory of the workers, draining",
            "value": grown / 2**20,
            "reference": GROWTH_LIMIT / 2**20,
            "ratio": grown / GROWTH_LIMIT,
            "unit": f"MiB that the relay and {len(pids) - 1} workers grew from its first tenth to the end of {total:,}",
            "against": "16 MiB for all of them",
            "limit": "<=1",
            "holds": grown <= GROWTH_LIMIT,
        },
    ]


def run() -> list[dict[str, Any]]:
    with shop.open_shop() as world:
        customers.load(CROWD)
        from accounts.models import Customer
        from tests.base import make_customer
        from tests.notifications.crowds import approved

        staff = make_customer("bench.staff@example.com", "+989127654321", is_staff=True)
        everybody = Customer.objects.filter(is_staff=False)
        few = approved(staff, audience=everybody.filter(ref__lt=f"{CUSTOMERS:012d}").values("pk"))
        row = draining(world, few)
        many = approved(staff, audience=everybody.values("pk"))
        return [row, *codes(world, many, staff)]
