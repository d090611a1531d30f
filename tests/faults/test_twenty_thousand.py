"""Twenty thousand messages, a hundred kills, an operator that fails and forgets to answer: the books are the same."""

import random
import time

import pytest

from tests.faults.base import SENDERS, Storm

pytestmark = pytest.mark.faults

WAVES, KILLS = 100, 100
# Of two hundred: ten fail before anything is done, ten lose half of the answer to what was done, one all of it.
OPERATOR = ["500"] * 10 + ["truncated"] * 10 + ["timeout_after_commit"] + ["ok"] * 179
MAIL_SERVER = [{"code": 451}] * 10 + ["ok"] * 190


def test_nothing_is_lost_and_no_sms_is_doubled(storm: Storm) -> None:
    random.seed(20_000)
    killed = 0
    for wave in range(0, WAVES, 10):
        for op in ("send", "sendarray"):
            storm.world.next("kavenegar", op, *random.sample(OPERATOR, len(OPERATOR)))
        storm.world.next("smtp", "send", *random.sample(MAIL_SERVER, len(MAIL_SERVER)))
        storm.tell("storm", range(wave, wave + 10))
        for _ in range(KILLS // (WAVES // 10)):
            while not storm.kill(*SENDERS):
                time.sleep(0.2)
            killed += 1
            time.sleep(random.uniform(0.2, 1.2))
    assert killed == KILLS
    storm.settle(900)
    found = storm.compare(deliveries=WAVES * len(storm.refs) * 2)
    print(dict(found), "kills:", killed)
