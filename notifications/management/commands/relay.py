"""manage.py relay: hands what must be said to the workers the moment it is committed, and delivers it itself when the
broker does not answer."""

import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg
import redis
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import close_old_connections, connection, connections
from django.db.utils import InterfaceError, OperationalError

from notifications import flows, tasks
from notifications.models import Delivery, Lane
from portal.celery import app as celery

TICK = 5  # seconds between two looks when nobody wakes us
SOON = 0.5  # seconds, while a lane has so many due that they go in batches
PROBE = 2  # seconds between two looks for a broker that went away
AT_ONCE = 100  # rows of one lane before the next look at the codes
HANDFUL = 20  # when more of a lane are due, its workers are told its name and take batches; codes never wait for that
DRAINS, DRAIN_EVERY = 2, 2  # hints at first, then one each so many seconds while somebody works on them
# Codes have hands of their own: nothing else may keep them waiting.
HANDS = {Lane.CODES: 3, Lane.MONEY: 2, Lane.TICKETS: 2, Lane.BULK: 1}


class Hands:
    """A few threads that deliver one lane; no more is taken up than they can do soon."""

    def __init__(self, threads: int) -> None:
        self.pool, self.busy, self.room = ThreadPoolExecutor(threads), set[Future[None]](), threads * 4

    def free(self) -> int:
        self.busy = {job for job in self.busy if not job.done()}
        return self.room - len(self.busy)

    def deliver(self, pk: UUID) -> None:
        self.busy.add(self.pool.submit(self._do, flows.deliver, pk))

    def drain(self, lane: str) -> None:
        if self.free() == self.room:  # one at a time, and the codes have hands of their own
            self.busy.add(self.pool.submit(self._do, flows.drain, lane, within=tasks.DRAINS_FOR))

    def fan_out(self) -> None:
        if self.free() == self.room:
            self.busy.add(self.pool.submit(self._do, flows.fan_out_due))

    @staticmethod
    def _do(work: Callable[..., Any], *what: UUID | str, **how: float) -> None:
        close_old_connections()
        try:
            work(*what, **how)
        except Exception as error:  # the row stays due, or its lease runs out
            print(f"relay: {' '.join(map(str, (work.__name__, *what)))} was left ({type(error).__name__})", flush=True)
        finally:
            close_old_connections()


class Broker:
    """The way to the workers. Once it failed, a thread of its own looks for it, so that nothing else waits for it."""

    def __init__(self) -> None:
        self.is_up = True
        self._connect()

    def _connect(self) -> None:
        """A connection of our own: those of Celery's pool try for seconds before they say that nobody is there."""
        options = {**settings.CELERY_BROKER_TRANSPORT_OPTIONS, "max_retries": 0}
        self.connection = celery.connection_for_write(transport_options=options)

    def hand_over(self, task: Any, what: str, lane: str) -> bool:
        try:
            task.apply_async(args=[what], queue=lane, retry=False, connection=self.connection)
        except Exception as error:  # whatever the broker's client raises means the same here
            self.lose(error)
            return False
        return True

    def lose(self, error: Exception) -> None:
        self._connect()
        if self.is_up:
            self.is_up = False
            print(f"relay: the broker does not answer ({type(error).__name__}); delivering here", flush=True)
            threading.Thread(target=self._look_for_it, daemon=True).start()

    def _look_for_it(self) -> None:
        while not self.is_up:
            time.sleep(PROBE)
            try:
                redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=2, socket_connect_timeout=2).ping()
            except (redis.RedisError, OSError):
                continue
            self.is_up = True
            print("relay: the broker answers again", flush=True)


class Command(BaseCommand):
    help = "Hand messages to the workers as soon as they are committed; deliver them here while the broker is away."
    requires_system_checks: list[str] = []

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Of lanes with many due: when somebody was last seen to work on them, and when their workers were last told.
        self.drained: dict[Lane, tuple[float, float]] = {}

    def handle(self, *args: Any, **options: Any) -> None:
        self.stopping = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)
        self.broker, self.hands = Broker(), {lane: Hands(threads) for lane, threads in HANDS.items()}
        while not self.stopping:
            try:
                self.listen()
            except (psycopg.OperationalError, OperationalError, InterfaceError) as error:
                print(f"relay: the database does not answer ({type(error).__name__}); trying again", flush=True)
                connections.close_all()
                time.sleep(1)
        for hands in self.hands.values():
            hands.pool.shutdown(wait=True, cancel_futures=True)

    def stop(self, *args: Any) -> None:
        self.stopping = True

    def listen(self) -> None:
        """Until stopped: wait until Postgres says that something was committed, or for a tick, and pass it on."""
        with psycopg.connect(**ear_params(), autocommit=True) as ear:
            ear.execute("LISTEN outbox")
            looked = tidied = 0.0
            woken = True
            while not self.stopping:
                if woken or time.monotonic() - looked >= (SOON if self.drained else TICK):
                    close_old_connections()
                    looked = time.monotonic()
                    if looked - tidied >= TICK:
                        flows.tidy()
                        # The periodic task does so too; without a broker there is none, and an incident must be told.
                        self.hands[Lane.BULK].fan_out()
                        tidied = looked
                    more = self.pass_on()
                # Not for long, so that a wish to stop is heard.
                woken = more or any(True for _notify in ear.notifies(timeout=0.05 if more else SOON, stop_after=1))

    def pass_on(self) -> bool:
        """One look at each lane, the most urgent first; True when a lane may hold more than was taken."""
        more = False
        for lane in Lane:
            hands, fresh = self.hands[lane], []
            if lane != Lane.CODES and Delivery.objects.is_crowded(lane, HANDFUL):
                self.drain(lane)
                continue
            self.drained.pop(lane, None)
            if self.broker.is_up:
                fresh = Delivery.objects.take(lane, AT_ONCE, flows.HINT_LASTS, again=False)
                more = more or len(fresh) == AT_ONCE
            for pk in fresh:
                if not self.broker.is_up or not self.broker.hand_over(tasks.deliver, str(pk), lane):
                    hands.deliver(pk)
            # A hint that led to nothing was lost, or the workers are away: then it is done here.
            for again in (True,) if self.broker.is_up else (True, False):
                if (free := hands.free()) > 0:
                    taken = Delivery.objects.take(lane, free, flows.HINT_LASTS, again=again)
                    more = more or len(taken) == free
                    for pk in taken:
                        hands.deliver(pk)
                else:
                    more = True
        return more

    def drain(self, lane: Lane) -> None:
        """Have a crowded lane delivered in batches: by its workers, or here when none of them takes it up."""
        now, (began, hinted) = time.monotonic(), self.drained.get(lane, (0.0, 0.0))
        is_worked_on = Delivery.objects.filter(lane=lane, status=Delivery.Status.SENDING).exists()
        if is_worked_on or not began:
            began = now
        late = now - began > flows.HINT_LASTS.total_seconds()
        if self.broker.is_up and not late and now - hinted >= DRAIN_EVERY:
            for _ in range(1 if hinted else DRAINS):
                self.broker.hand_over(tasks.drain, lane, lane)
            hinted = now
        if late or not self.broker.is_up:
            self.hands[lane].drain(lane)
        self.drained[lane] = began, hinted


def ear_params() -> dict[str, Any]:
    """How Django reaches the database, without what belongs to its cursors."""
    plain = {"host", "port", "dbname", "user", "password", "options", "service", "passfile"}
    params = connection.get_connection_params().items()
    return {name: value for name, value in params if name in plain or name.startswith("ssl")}
