"""The relay: hints to the workers at once, and its own hands while the broker is away."""

import json
import socket
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection

from notifications.management.commands.relay import DRAINS, HANDFUL, Broker, Command, Hands
from notifications.models import Delivery, Lane
from tests.notifications.base import ANSWER_S, Relay, only, within
from tests.world_client import World

NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture
def relay(joined: World, tmp_path: Path) -> Relay:
    return Relay(joined, tmp_path)


@pytest.fixture
def silent_redis() -> Iterator[str]:
    """Takes every connection and never says a word, as a stopped process does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def test_with_redis_stopped_code_and_mail_leave_at_once(relay, joined, dana, tell):
    with relay.running(NOBODY):
        tell(dana, "phone_code")
        tell(dana, "password_changed")
        assert within(5, lambda: len(joined.sms()) == 2 and joined.mail()), relay.log.read_text()
        assert within(5, lambda: not Delivery.objects.exclude(status="accepted").exists())
    assert relay.log.read_text().count("the broker does not answer") == 1


def test_with_redis_hung_code_and_mail_leave_soon(relay, joined, dana, tell, silent_redis):
    with relay.running(silent_redis):
        tell(dana, "password_changed")
        assert within(10, joined.mail), relay.log.read_text()
        began = time.monotonic()
        tell(dana, "phone_code")
        assert within(5, lambda: [sms for sms in joined.sms() if sms["template"]])
        assert time.monotonic() - began < 2, "once it is known to be away, nobody waits for it"


def test_what_waited_before_it_started_leaves_too(relay, joined, dana, tell):
    tell(dana, "password_changed")
    with relay.running(NOBODY):
        assert within(10, lambda: joined.sms() and joined.mail()), relay.log.read_text()


def test_it_comes_back_when_postgres_drops_it(relay, joined, dana, tell):
    with relay.running(NOBODY):
        (ear,) = relay.ears()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert within(ANSWER_S, lambda: [pid for pid in relay.ears() if pid != ear]), relay.log.read_text()
        tell(dana, "phone_code")
        assert within(5, joined.sms), relay.log.read_text()


# --- hints -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def queues() -> Iterator[redis.Redis]:
    broker = redis.Redis.from_url(settings.REDIS_URL)
    broker.delete(*Lane.values)
    yield broker
    broker.delete(*Lane.values)
    broker.close()


@pytest.fixture
def command() -> Iterator[Command]:
    command = Command()
    command.broker, command.hands = Broker(), {lane: Hands(1) for lane in Lane}
    yield command
    for hands in command.hands.values():
        hands.pool.submit(lambda: connection.close())  # the one of that thread
        hands.pool.shutdown(wait=True)


def hints(queues: redis.Redis, lane: str) -> list[bytes]:
    return list(queues.lrange(lane, 0, -1))


def test_a_hint_carries_an_id_and_nothing_else(command, queues, joined, dana, tell):
    way = only(tell(dana, "phone_code"), "sms")
    command.pass_on()
    (hint,) = hints(queues, "codes")
    message = json.loads(hint)
    args, kwargs, embedded = json.loads(b64decode(message["body"]))
    assert (args, kwargs) == ([str(way.pk)], {})
    assert not any(embedded.values())
    said = hint.decode() + b64decode(message["body"]).decode()
    for word in ("482913", "9121110009", "dana", "phone_code"):
        assert word not in said
    assert not joined.sms(), "the workers do it"


def test_each_lane_is_a_queue_of_its_own(command, queues, joined, dana, tell):
    for message in ("phone_code", "password_changed", "ticket_opened", "policy_published"):
        tell(dana, message)
    command.pass_on()
    assert [len(hints(queues, lane)) for lane in Lane.values] == [1, 2, 2, 2]


def test_a_row_is_handed_out_once_and_done_here_when_the_hint_was_lost(command, queues, joined, dana, tell):
    tell(dana, "phone_code")
    for _ in range(3):
        command.pass_on()
    assert len(hints(queues, "codes")) == 1
    Delivery.objects.update(handed_until=Delivery.objects.get().event.at)  # and nobody came for it
    command.pass_on()
    assert within(5, joined.sms) and len(hints(queues, "codes")) == 1


def test_a_crowded_lane_goes_by_its_name_and_codes_do_not_wait_for_it(command, queues, joined, dana, tell):
    for n in range(HANDFUL):
        tell(dana, "policy_published", about=f"test:{n}")
    tell(dana, "phone_code")
    command.pass_on()
    command.pass_on()
    said = [json.loads(b64decode(json.loads(hint)["body"]))[0] for hint in hints(queues, "bulk")]
    assert said == [["bulk"]] * DRAINS, "and not again at once"
    assert len(hints(queues, "codes")) == 1 and not joined.sms()


def test_a_crowd_that_no_worker_takes_up_is_drained_here(command, queues, joined, dana, tell):
    for n in range(HANDFUL):
        tell(dana, "policy_published", about=f"test:{n}")
    command.pass_on()
    began, hinted = command.drained["bulk"]
    command.drained["bulk"] = (began - 21, hinted)
    command.pass_on()
    assert within(10, lambda: len(joined.sms()) == len(joined.mail()) == HANDFUL)
    assert within(5, lambda: not Delivery.objects.exclude(status="accepted").exists())
    command.pass_on()
    assert not command.drained and len(hints(queues, "bulk")) == DRAINS


def test_with_redis_stopped_a_crowd_leaves_in_batches(relay, joined, dana, tell):
    for n in range(HANDFUL):
        tell(dana, "policy_published", about=f"test:{n}")
    with relay.running(NOBODY):
        assert within(10, lambda: not Delivery.objects.exclude(status="accepted").exists()), relay.log.read_text()
    assert len(joined.sms()) == len(joined.mail()) == HANDFUL


@pytest.mark.parametrize(("message", "queue"), [("phone_code", "codes"), ("policy_published", "bulk")])
def test_a_worker_takes_the_hint(relay, command, queues, joined, dana, tell, message, queue):
    for n in range(1 if queue == "codes" else HANDFUL):
        tell(dana, message, about=f"test:{n}")
    command.pass_on()
    celery = [sys.executable, "-m", "celery", "-A", "portal", "worker", "-P", "solo", "-Q", queue, "-l", "ERROR"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    with relay.log.open("wb") as log:
        worker = subprocess.Popen([*celery, *quiet], cwd=settings.BASE_DIR, env=relay.env, stdout=log, stderr=log)
        try:
            assert within(30, joined.sms), relay.log.read_text()
            assert within(10, lambda: not Delivery.objects.exclude(status="accepted").exists())
            assert within(5, lambda: not hints(queues, queue))
        finally:
            worker.terminate()
            worker.wait(30)
    assert "482913" not in relay.log.read_text()
