"""A web of its own that can be killed at a bad moment, and people who speak to it over HTTP."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from psycopg.pq import TransactionStatus

from accounts.models import Customer
from billing.flows import look_again, reconcile
from billing.models import Invoice, Order, Payment
from tests.base import database_url
from tests.billing.base import books, bring, due_now, fresh, minutes_ago, start
from tests.browser.stack import free_ports
from tests.world_client import Callback, World

OURS_NOW = ("verified", "settled")
ANSWER_S = 30  # seconds that a process may take to say or do something on a busy machine
# gunicorn runs this in each process that serves, before it loads the portal.
ANOTHER_CLOCK = """
def post_fork(server, worker):
    from datetime import timedelta
    from django.utils import timezone
    right = timezone.now
    timezone.now = lambda: right() + timedelta(minutes={minutes})
"""


class Killed(BaseException):
    """The process ends here, as far as the code can tell."""


PLACES = ("transaction", "call", "answer")


@contextlib.contextmanager
def dying(place: str, nth: int) -> Iterator[None]:
    """The block is done by a process that ends, if it comes so far, at the nth such place.

    Before a transaction, before a call to the outside, or with the answer to it in its hands: whatever else a process
    does, nothing of it is kept, so a death anywhere is one of these.
    """
    places, ask = itertools.count(1), requests.Session.send

    def reach(here: str) -> None:
        if here == place and next(places) == nth:
            raise Killed

    def query(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if context["connection"].connection.info.transaction_status == TransactionStatus.IDLE:
            reach("transaction")
        return execute(sql, params, many, context)

    def send(session: requests.Session, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        reach("call")
        answer = ask(session, request, **how)
        reach("answer")
        return answer

    with pytest.MonkeyPatch.context() as patch, connection.execute_wrapper(query), contextlib.suppress(Killed):
        patch.setattr(requests.Session, "send", send)
        yield


def until(ask: Callable[[], Any], seconds: float = ANSWER_S) -> Any:
    end = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return found


class Web:
    """Two gunicorn processes with the whole portal, on the test's database and before the test's outside world."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, minutes_fast: int = 0, **environment: str) -> "Web":
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self.log = self.folder / "web.log"
        config = self.folder / "gunicorn.conf.py"
        config.write_text(ANOTHER_CLOCK.format(minutes=minutes_fast) if minutes_fast else "")
        command = ["-m", "gunicorn", "portal.wsgi", "-c", str(config), "--bind", f"127.0.0.1:{port}"]
        command += ["--worker-class", "gthread", "--workers", "2", "--threads", "10", "--no-control-socket"]
        env = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "WORLD_URL": self.world.url,
            "WORLD_SMTP_PORT": str(self.world.smtp_port),
            "SITE_URL": self.url,
            "DEBUG": "true",  # static files without a manifest, as in the other tests
            **environment,
        }
        with self.log.open("ab") as log:
            # In a group of its own, so that the kill takes the serving processes with it.
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=settings.BASE_DIR,
                env=env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            until(self._serves)
        except BaseException:
            self.kill()
            raise
        return self

    def _serves(self) -> bool:
        assert self.is_running, self.log.read_text()
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(f"{self.url}/healthz", timeout=ANSWER_S).ok
        return False

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """As a power cut would end it: nothing is finished, nothing is said."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(ANSWER_S)
            self.process = None


class Person:
    """A browser of its own; signed in when it is a customer's."""

    def __init__(self, web: Web, customer: Customer | None = None) -> None:
        self.web, self.session = web, requests.Session()
        self.session.trust_env = False
        self.session.headers["Accept-Language"] = "en"
        if customer:
            client = Client()
            client.force_login(customer)
            self.session.cookies.set(settings.SESSION_COOKIE_NAME, client.session.session_key)

    def browsers(self, count: int) -> list["Person"]:
        """So many, all with this one's cookies."""
        others = [Person(self.web) for _ in range(count)]
        for other in others:
            other.session.cookies.update(self.session.cookies)
        return others

    def get(self, path: str, **fields: str) -> requests.Response:
        return self.session.get(self.web.url + path, params=fields, allow_redirects=False, timeout=ANSWER_S)

    def post(self, path: str, fields: dict[str, str]) -> requests.Response:
        return self.session.post(self.web.url + path, data=fields, allow_redirects=False, timeout=ANSWER_S)

    def bring(self, callback: Callback) -> requests.Response:
        path = urlsplit(callback.url).path
        return self.post(path, callback.fields) if callback.method == "POST" else self.get(path, **callback.fields)

    def see(self, path: str) -> str:
        """The page once it no longer asks to be loaded again."""
        return str(until(lambda: self._settled(path)))

    def _settled(self, path: str) -> str | None:
        page = self.get(path)
        assert page.status_code == 200, page.status_code
        return None if "Refresh" in page.headers else page.text


@contextlib.contextmanager
def on_its_way(work: Callable[[], object]) -> Iterator[None]:
    """A request that is under way while the block runs; that it never gets its answer is the point."""

    def run() -> None:
        with contextlib.suppress(requests.RequestException):
            work()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join(ANSWER_S)


@contextlib.contextmanager
def order_held(order: Order) -> Iterator[None]:
    """Whoever writes down that this order is paid waits, at the end of its transaction, for us."""
    with transaction.atomic():
        Order.objects.select_for_update().get(pk=order.pk)
        yield


def somebody_waits_for_us() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        )
        return bool(cursor.fetchone()[0])


def reconcile_a_little_later(payment: Payment, rounds: int = 3) -> Payment:
    """The sweep, each time three minutes on; a step that the bank still has in its script may cost a round."""
    for _ in range(rounds):
        reconcile()
        if fresh(payment).status in Payment.OVER:
            break
        minutes_ago(payment, 3)
    return payment


def result_of(payment: Payment) -> str:
    return f"/pay/{payment.public_id}/result/"


def reconcile_once(payment: Payment) -> Payment:
    look_again(payment=due_now(payment))
    return fresh(payment)


def taken_but_unanswered(bank, invoice: Invoice, gateway: str) -> Payment:
    """The bank has the money verified, and its answer was lost."""
    payment = start(invoice, gateway)
    bank.next(gateway, "verify", "truncated")
    bring(bank.pay(gateway, payment.token))
    assert fresh(payment).status == Payment.Status.VERIFYING and books(bank, gateway)[payment.token] in OURS_NOW
    return payment
