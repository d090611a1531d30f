"""Duplicates of one callback, all at once, with late and forged ones among them, against a view that holds the lock.

The reference is what a Django developer writes first: one transaction, SELECT … FOR UPDATE on the payment, the bank
asked under that lock. It settles by the same verbs, so the same rows are written.
"""

import asyncio
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.benchmarks import customers, shop
from tests.benchmarks.dashboard import wait_until_open
from tests.browser.stack import ROOT, free_ports
from tests.world_client import Callback, World

GATEWAY, PAYMENTS, DUPLICATES, ODD = "sep", 25, 64, 8
WORKERS, THREADS, PATIENCE = 2, 4, 60
ROUNDS, LIMIT = 5, 1.0
PLAIN = "/plain"
Storms = list[list[list[Callback]]]  # of each payment, what each browser brings, one after the other


def plain_view(request: Any, gateway: str, public_id: str) -> Any:
    """The reference."""
    from django.db import IntegrityError, transaction
    from django.http import HttpResponse
    from django.shortcuts import get_object_or_404

    from billing.flows.orders import link, settle_invoice
    from billing.gateways import Kind
    from billing.gateways import gateway as gateway_of
    from billing.models import Invoice, LedgerEntry, Payment, PaymentEvent
    from notifications.flows import tell

    adapter = gateway_of(gateway)
    returned = adapter.pick(request.POST if adapter.returns_by == "POST" else request.GET)
    with transaction.atomic():
        payments = Payment.objects.select_for_update()
        payment = get_object_or_404(payments, gateway=gateway, public_id=public_id)
        if payment.status not in Payment.OPEN:
            pass
        elif not adapter.matches(returned, payment.attempt):
            payment.suspect(PaymentEvent.Note.MISMATCH)
        elif not returned.ok:
            payment.come_back_unpaid(returned.code)
        else:
            try:
                with transaction.atomic():
                    payment.start_verifying(returned.receipt or None, within=adapter.verify_within)
            except IntegrityError:
                payment.refresh_from_db()
                payment.suspect(PaymentEvent.Note.RECEIPT_USED)
            else:
                outcome = adapter.verify(payment.attempt)
                invoices = Invoice.objects.select_for_update(of=("self",)).select_related("customer", "order__service")
                invoice = invoices.get(pk=payment.invoice_id)
                due = invoice.due - payment.amount
                if outcome.kind is not Kind.PAID or due < 0:
                    payment.fail(outcome.code)
                else:
                    payment.receive(
                        receipt=outcome.receipt,
                        trace=outcome.trace,
                        bank_time=outcome.bank_time,
                        code=outcome.code,
                        taken=payment.amount,
                        settles=adapter.settles,
                    )
                    kind, customer = LedgerEntry.Kind.PAYMENT, invoice.customer
                    LedgerEntry.objects.create(
                        customer=customer, payment=payment, invoice=invoice, kind=kind, amount=payment.amount
                    )
                    context = {"number": invoice.number, "amount": payment.amount, "receipt": payment.receipt}
                    context |= {"at": (payment.bank_time or payment.now).isoformat()} | link(invoice)
                    key = f"payment_received:payment:{payment.order_number}"
                    tell(customer, "payment_received", about=f"invoice:{invoice.number}", context=context, key=key)
                    settle_invoice(invoice, customer, due=due)
    return HttpResponse(status=303, headers={"Location": f"/payments/{public_id}/result/"})


def application() -> Any:
    """The portal for gunicorn, and in it the reference under an address of its own."""
    customers.set_up()
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.urls import include, path
    from django.views.decorators.cache import never_cache
    from django.views.decorators.csrf import csrf_exempt
    from django.views.decorators.debug import sensitive_post_parameters
    from django.views.decorators.http import require_http_methods

    plain: Any = sensitive_post_parameters()(require_http_methods(["GET", "POST"])(plain_view))
    plain = csrf_exempt(never_cache(plain))

    class Addresses:
        urlpatterns = [
            path(f"{PLAIN[1:]}/pay/callback/<slug:gateway>/<slug:public_id>/", plain),
            path("", include("portal.urls")),
        ]

    settings.ROOT_URLCONF = Addresses
    return get_wsgi_application()


@contextmanager
def served() -> Iterator[int]:
    """A gunicorn as `make run` has it; its port."""
    [port] = free_ports(1)
    command = [sys.executable, "-m", "gunicorn", f"{__name__}:application()", "-b", f"127.0.0.1:{port}"]
    command += ["--worker-class", "gthread", "--workers", str(WORKERS), "--threads", str(THREADS)]
    command += ["--no-control-socket", "--graceful-timeout", "5"]
    # A forged callback is a warning each, and the log is not what is measured.
    server = subprocess.Popen(
        [*command, "--log-level", "critical"], cwd=ROOT, env=os.environ, stderr=subprocess.DEVNULL
    )
    try:
        wait_until_open(port)
        yield port
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()  # its workers see that it is gone
            server.wait()


async def come(port: int, prefix: str, browsers: list[list[Callback]]) -> None:
    """All at once; each brings its callbacks one after the other, by a connection of its own for each."""

    async def browser(callbacks: list[Callback]) -> None:
        for callback in callbacks:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            body, path = urlencode(callback.fields), prefix + urlsplit(callback.url).path
            head = f"{callback.method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
            head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write((head + body).encode())
            answer = await reader.read()
            writer.close()
            if not answer.startswith(b"HTTP/1.1 303 "):
                raise RuntimeError(f"the callback was answered {answer[:60]!r}")

    await asyncio.wait_for(asyncio.gather(*map(browser, browsers)), PATIENCE)


def storms(callbacks: list[Callback], pick: random.Random) -> Storms:
    """DUPLICATES browsers at each payment; ODD of them bring a late or a forged one first."""
    found: Storms = []
    for number, callback in enumerate(callbacks):
        late = [callbacks[number - 1]] * (ODD // 2 if number else 0)
        forged = [replace(callback, fields={**callback.fields, "ResNum": "1"})] * (ODD - len(late))
        browsers = [[odd, callback] for odd in late + forged] + [[callback] for _ in range(DUPLICATES - ODD)]
        pick.shuffle(browsers)
        found.append(browsers)
    return found


def what_is_wrong(world: World, made: list[tuple[int, Callback]]) -> list[str]:
    """Each payment must have one receipt, one row in the ledger, one "paid", one activation and one message."""
    from billing.models import LedgerEntry, Payment, PaymentEvent
    from notifications.models import Event

    states = {row["id"]: row["state"] for row in world.ledger()}
    wrong = []
    for pk, _callback in made:
        payment = Payment.objects.select_related("invoice__order__service").get(pk=pk)
        order = payment.invoice.order
        found = {
            "status": payment.status,
            "receipt": payment.receipt is not None,
            "bank": states[payment.token],
            "ledger": LedgerEntry.objects.filter(payment=payment, amount=payment.amount).count(),
            "paid": PaymentEvent.objects.filter(payment=payment, now="paid").count(),
            "active": order.service.events.filter(now="active").count(),
            "told": Event.objects.filter(key=f"payment_received:payment:{payment.order_number}").count(),
        }
        right = {"status": "paid", "receipt": True, "bank": "verified", "ledger": 1, "paid": 1, "active": 1, "told": 1}
        if found != right:
            wrong.append(f"payment {pk}: {found}")
    return wrong


def run() -> dict[str, Any]:
    pick, rates, wrong = random.Random(7), [], []
    with shop.open_shop() as world, served() as port:

        def rate(prefix: str) -> float:
            made = shop.paid(world, GATEWAY, PAYMENTS)
            each = storms([callback for _pk, callback in made], pick)
            began = time.perf_counter()
            for browsers in each:
                asyncio.run(come(port, prefix, browsers))
            seconds = time.perf_counter() - began
            wrong.extend(what_is_wrong(world, made))
            return PAYMENTS * (DUPLICATES + ODD) / seconds

        for number in range(ROUNDS + 1):  # now one first, now the other; the first round warms up
            sides = ["", PLAIN] if number % 2 else [PLAIN, ""]
            found = {prefix: rate(prefix) for prefix in sides}
            rates.append((found[""], found[PLAIN]))
    if wrong:
        raise RuntimeError("; ".join(wrong))
    value, reference = (statistics.median(column) for column in zip(*rates[1:], strict=True))
    ratio = statistics.median(ours / plain for ours, plain in rates[1:])
    return {
        "name": f"callback storm, {PAYMENTS} × {DUPLICATES} at once",
        "value": value,
        "reference": reference,
        "ratio": ratio,
        "unit": f"callbacks/s, median of {ROUNDS} interleaved rounds; {ROUNDS * PAYMENTS} payments, each paid once",
        "against": "a view that asks the bank under SELECT … FOR UPDATE",
        "rounds": rates[1:],
        "limit": f">={LIMIT}",
        "holds": ratio >= LIMIT,
    }
