"""It keeps exact books under load, says them without a list, and can be made slow."""

import json
import threading
import time
from collections.abc import Callable

from tests.world.load import measure
from tests.world.wire import Wire, send_letter
from tests.world_client import World

MOBILE = "09121234567"


def test_four_kept_connections_are_answered_at_once_and_the_books_are_exact(outer: World) -> None:
    """Far below what load.py finds on a quiet machine, far above one delayed acknowledgement a call."""
    found = measure(outer, 2_000, 600)
    assert found["exact"]
    assert found["sms_per_s"] > 300
    assert found["mails_per_s"] > 100


def test_one_localid_from_many_at_once_is_one_message(outer: World, wire: Wire) -> None:
    def send() -> None:
        wire.kavenegar("sms/send", receptor=MOBILE, message="x", localid=5)

    threads = [threading.Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    summary = outer.sms_summary()
    assert (summary["count"], summary["distinct_localids"], summary["repeats"]) == (1, 1, 11)


def test_the_summary_counts_messages_localids_doubles_and_statuses(outer: World, wire: Wire) -> None:
    wire.kavenegar("sms/send", receptor=MOBILE, message="one", localid=1)
    wire.kavenegar("sms/send", receptor="+989121234567", message="one", localid=2)
    wire.kavenegar("sms/send", receptor="09990140001", message="one")
    asked = {"lineNumber": 3000, "messageText": "one", "mobiles": [MOBILE]}
    wire.call("POST", "/smsir/v1/send/bulk", json.dumps(asked).encode(), headers={"X-API-KEY": "k"})
    outer.clock(5)
    assert outer.sms_summary() == {
        "count": 4,
        "distinct_localids": 2,
        "without_localid": 2,
        "repeats": 0,
        "doubles": 2,
        "operators": {
            "kavenegar": {"count": 3, "status": {"10": 2, "14": 1}},
            "smsir": {"count": 1, "status": {"1": 1}},
        },
    }
    assert outer.sms_localids() == [1, 2]


def test_the_mail_summary_counts_doubles_by_message_id_and_receiver(outer: World) -> None:
    for to in ("alice@example.org", "alice@example.org", "bob@example.org"):
        send_letter(outer.smtp_port, to)
    assert outer.mail_summary() == {
        "count": 3,
        "distinct_message_ids": 1,
        "without_message_id": 0,
        "doubles": 1,
        "fate": {"kept": 3},
        "in_bounce_mailbox": 0,
    }


def test_latency_slows_those_named_until_a_reset(outer: World, wire: Wire) -> None:
    outer.latency(kavenegar=0.3, smtp=0.3)
    assert seconds(lambda: wire.kavenegar("account/info")) > 0.3
    assert seconds(lambda: send_letter(outer.smtp_port)) > 0.3
    assert seconds(lambda: wire.get("/healthz")) < 0.3
    outer.reset()
    assert seconds(lambda: wire.kavenegar("account/info")) < 0.3
    assert wire.post_json("/control/latency", {"kavenegar": -1}).status == 400


def test_slow_answers_do_not_stand_in_each_others_way(outer: World, wire: Wire) -> None:
    outer.latency(kavenegar=0.5)
    threads = [threading.Thread(target=wire.kavenegar, args=("account/info",)) for _ in range(8)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began < 2


def seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began
