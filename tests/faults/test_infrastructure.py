"""Redis flushed, killed, frozen; PostgreSQL killed; all of it while messages are under way."""

import threading
import time
import urllib.error
import urllib.request

import pytest
import redis

from tests.faults.base import Storm

pytestmark = pytest.mark.faults


def pages(storm: Storm, over: threading.Event) -> list[tuple[int, float]]:
    """A customer who looks at a page again and again: each answer with its seconds."""
    seen = []
    while not over.is_set():
        began = time.monotonic()
        try:
            with urllib.request.urlopen(f"{storm.url}/accounts/login/", timeout=30) as answer:
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError:
            status = 0
        seen.append((status, time.monotonic() - began))
        time.sleep(0.05)
    return seen


def look(storm: Storm, seen: list[tuple[int, float]]) -> tuple[threading.Thread, threading.Event]:
    over = threading.Event()
    thread = threading.Thread(target=lambda: seen.extend(pages(storm, over)))
    thread.start()
    return thread, over


def test_redis_flushed_loses_nothing(storm: Storm) -> None:
    storm.tell("flush", range(5))
    for _ in range(5):
        redis.Redis.from_url(storm.redis_url()).flushall()
        time.sleep(0.5)
    storm.settle(120)
    storm.compare(deliveries=5 * len(storm.refs) * 2)


def test_redis_killed_loses_nothing(storm: Storm) -> None:
    storm.tell("killed", range(5))
    for _ in range(3):
        assert storm.kill("valkey-server")
        time.sleep(2)
    storm.settle(180)
    storm.compare(deliveries=5 * len(storm.refs) * 2)


def test_redis_frozen_slows_no_page_and_holds_up_no_message(storm: Storm) -> None:
    before: list[tuple[int, float]] = []
    thread, over = look(storm, before)
    time.sleep(3)
    over.set()
    thread.join()
    during: list[tuple[int, float]] = []
    with storm.frozen("valkey-server"):
        thread, over = look(storm, during)
        storm.tell("frozen", range(2))
        storm.settle(120)
        over.set()
        thread.join()
    storm.compare(deliveries=2 * len(storm.refs) * 2)
    assert {status for status, _seconds in during} == {200}
    usual = sorted(seconds for _status, seconds in before)[-1]
    # The machine delivers meanwhile, so pages share it; what waits for Redis waits for seconds (its timeout is 2).
    assert sorted(seconds for _status, seconds in during)[len(during) // 2] < max(10 * usual, 1)


def test_postgres_killed_in_the_middle(storm: Storm) -> None:
    seen: list[tuple[int, float]] = []
    thread, over = look(storm, seen)
    storm.tell("postgres", range(5))
    for _ in range(2):
        assert storm.kill("postgres -D", "bin/postgres")
        time.sleep(6)
    storm.settle(240)
    over.set()
    thread.join()
    storm.compare(deliveries=5 * len(storm.refs) * 2)
    assert {status for status, _seconds in seen} <= {200, 503}, "never a 500"


def test_a_deploy_in_the_middle(storm: Storm) -> None:
    """SIGTERM to everything that sends: what it holds is finished or handed on."""
    storm.tell("deploy", range(10))
    for _ in range(5):
        for pid in storm.processes("celery", "relay"):
            storm.signal(pid)
        time.sleep(4)
    storm.settle(240)
    found = storm.compare(deliveries=10 * len(storm.refs) * 2)
    assert not found["letters twice"]
