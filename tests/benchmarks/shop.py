"""Payments that their payers made at the desk-top bank, and processes that bring their callbacks to the portal."""

import multiprocessing
import os
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier
from typing import Any
from urllib.parse import urlsplit

from tests.benchmarks import customers
from tests.world_client import Callback, World

PATIENCE = 120  # seconds a process waits for the others
FIRST = 900_000_000  # these customers' numbers begin where no other row's do
_barrier: Barrier


@contextmanager
def open_shop() -> Iterator[World]:
    """The portal's tables and the bank; whatever this process and its children ask goes to that bank."""
    world = World().start()
    try:
        os.environ |= {"WORLD_URL": world.url, "WORLD_SMTP_PORT": str(world.smtp_port), "SITE_URL": "http://127.0.0.1"}
        customers.set_up()
        customers.prepare()
        yield world
    finally:
        world.stop()


def paid(world: World, gateway: str, count: int) -> list[tuple[int, Callback]]:
    """New payments (primary key, callback), each of another customer, paid at the bank and not yet brought back."""
    from accounts.models import Customer
    from billing.flows import place_order, start_payment
    from billing.models import Plan

    plan, _new = Plan.objects.get_or_create(
        slug="bench",
        defaults={"name_fa": "-", "name_en": "-", "about_fa": "-", "about_en": "-", "monthly_price": 1_000_000},
    )
    first, found = FIRST + Customer.objects.count(), []
    for number in range(first, first + count):
        customer = customers.customer(number)
        customer.save(force_insert=True)
        order = place_order(customer=customer, plan=plan, option=None, form_token=secrets.token_hex(10))
        payment = start_payment(invoice=order.invoices.get(), gateway=gateway, form_token=secrets.token_hex(10))
        found.append((payment.pk, world.pay(gateway, payment.token or "")))
    return found


def bring(client: Any, callback: Callback) -> None:
    """A browser comes with what the bank gave it."""
    send = client.post if callback.method == "POST" else client.get
    answer = send(urlsplit(callback.url).path, callback.fields)
    if answer.status_code != 303:
        raise RuntimeError(f"the callback was answered {answer.status_code}")


@contextmanager
def processes(count: int) -> Iterator[Callable[..., list[Any]]]:
    """`each(work, parts)` runs `work(part)` in that many portal processes at once; what each returned."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(count)
    with ProcessPoolExecutor(count, context, initializer=_enter, initargs=(barrier,)) as pool:

        def each(work: Callable[..., Any], parts: list[Any]) -> list[Any]:
            return [future.result(PATIENCE) for future in [pool.submit(_together, work, part) for part in parts]]

        each(len, [""] * count)  # every process is there
        yield each


def _enter(barrier: Barrier) -> None:
    global _barrier
    _barrier = barrier
    customers.set_up()


def _together(work: Callable[..., Any], part: Any) -> Any:
    _barrier.wait(PATIENCE)  # nobody takes two parts, and all begin at once
    return work(part)
