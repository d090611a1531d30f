"""Kavenegar tells the end of a message to an address: by itself, again, in another order, or untrue."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.world.wire import Wire
from tests.world_client import World

MOBILE = "09121234567"


class Ear:
    """A customer's address: keeps what it was told, as (method, content type, fields)."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, dict[str, Any]]] = []
        self.before_answering: Callable[[], object] = lambda: None
        ear = self

        class Door(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                kind = self.headers.get("Content-Type", "")
                fields = json.loads(body) if kind == "application/json" else flat(body or urlsplit(self.path).query)
                ear.heard.append((self.command, kind, fields))
                ear.before_answering()
                self.send_response(204)
                self.end_headers()

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks/sms/secret"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count: int) -> None:
        until = time.monotonic() + 5
        while len(self.heard) < count and time.monotonic() < until:
            time.sleep(0.05)

    def told(self) -> list[tuple[int, int]]:
        return [(int(fields["messageid"]), int(fields["status"])) for _, _, fields in self.heard]


def flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


@pytest.fixture
def ear(outer: World) -> Iterator[Ear]:
    listening = Ear()
    yield listening
    outer.push_to("")
    listening.server.shutdown()
    listening.server.server_close()


def send(wire: Wire, receptor: str = MOBILE) -> int:
    return int(wire.kavenegar("sms/send", receptor=receptor, message="x").json["entries"][0]["messageid"])


@pytest.mark.parametrize(
    ("how", "method", "kind"),
    [("get", "GET", ""), ("form", "POST", "application/x-www-form-urlencoded"), ("json", "POST", "application/json")],
)
def test_the_end_is_told_once_in_the_way_asked_for(
    outer: World, wire: Wire, ear: Ear, how: str, method: str, kind: str
) -> None:
    before = send(wire)
    outer.push_to(ear.url, how)
    ids = [send(wire), send(wire, "09990140001")]
    time.sleep(0.5)
    assert ear.heard == []
    outer.clock(5)
    ear.wait(2)
    time.sleep(0.5)
    assert ear.told() == [(ids[0], 10), (ids[1], 14)]
    assert before not in dict(ear.told())
    assert ear.heard[0][:2] == (method, kind)
    assert ear.heard[0][2].keys() == {"messageid", "status", "statustext", "receptor"}


def test_a_test_repeats_turns_round_and_forges(outer: World, wire: Wire, ear: Ear) -> None:
    id = send(wire)
    outer.push_to(ear.url, "form")
    wanted = [(id, 10), (id, 10), (id, 5), (123, 10)]
    assert outer.push(*wanted) == [204] * 4
    assert ear.told() == wanted


def test_who_is_told_may_ask_back_before_answering(outer: World, wire: Wire, ear: Ear) -> None:
    id = send(wire)
    outer.push_to(ear.url)
    ear.before_answering = lambda: wire.kavenegar("sms/status", messageid=id)
    assert outer.push((id, 10)) == [204]


def test_nobody_listens_and_nothing_breaks(outer: World, wire: Wire) -> None:
    outer.push_to("http://127.0.0.1:9/")
    id = send(wire)
    assert outer.push((id, 10)) == [None]
    outer.clock(5)
    time.sleep(0.5)
    assert wire.get("/healthz").status == 200
    outer.push_to("")


@pytest.mark.parametrize(("url", "how"), [("http://example.org/", "get"), ("https://127.0.0.1/", "get"), ("", "fax")])
def test_it_speaks_to_this_machine_only_and_in_known_ways(wire: Wire, url: str, how: str) -> None:
    assert wire.post_json("/control/push", {"url": url, "how": how}).status == 400


def test_the_address_can_come_from_the_environment_and_outlives_a_reset(ear: Ear) -> None:
    running = World().start(WORLD_SMS_PUSH_URL=ear.url)
    try:
        running.push_to("")
        running.reset()
        id = send(Wire(running.url))
        running.clock(5)
        ear.wait(1)
        assert ear.told() == [(id, 10)]
    finally:
        running.stop()
