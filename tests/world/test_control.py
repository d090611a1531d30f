"""The side door for tests, and the life of the process."""

import smtplib
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.base import SEED, app_code
from tests.world.wire import Wire, send_letter
from tests.world_client import ROOT, World


def test_it_says_that_it_is_up(wire: Wire) -> None:
    assert wire.get("/healthz").json["ok"] is True
    assert wire.get("/nowhere").status == 404


def test_pressing_twice_or_for_nobody_is_refused(outer: World, wire: Wire) -> None:
    token = wire.sep_token().json["token"]
    outer.pay("sep", token)
    for id, do, status in ((token, "pay", "409"), ("none", "pay", "404"), (token, "sing", "404")):
        with pytest.raises(RuntimeError, match=status):
            outer.pay("sep", id, do)


@pytest.mark.parametrize("seconds", [-1, 1.5, "60", None, True])
def test_the_clock_moves_by_whole_seconds_and_only_forward(wire: Wire, seconds: object) -> None:
    assert wire.post_json("/control/clock", {"advance_s": seconds}).status == 400


def test_the_app_on_a_phone_shows_the_code_of_its_seed(wire: Wire) -> None:
    near = {app_code(SEED, time.time())}
    page = wire.get(f"/authenticator/{SEED}").text
    near.add(app_code(SEED, time.time()))
    assert any(code in page for code in near)
    assert wire.get("/authenticator/no-seed").status == 404


def test_reset_forgets_all(outer: World, wire: Wire) -> None:
    outer.pay("sep", wire.sep_token().json["token"])
    wire.kavenegar("sms/send", receptor="09121234567", message="x")
    send_letter(outer.smtp_port)
    outer.next("sep", "start", "500")
    outer.reset()
    assert (outer.ledger(), outer.sms(), outer.mail()) == ([], [], [])
    assert wire.sep_token().json["status"] == 1


def test_two_presses_at_once_take_the_money_once(outer: World, wire: Wire) -> None:
    token = wire.sep_token().json["token"]
    done: list[int] = []

    def press() -> None:
        done.append(wire.post_json("/control/pay", {"gateway": "sep", "id": token, "do": "pay"}).status)

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [200] + [409] * 7


def test_a_killed_world_remembers_everything_when_it_has_a_folder(tmp_path: Path) -> None:
    running = World().start(tmp_path)
    wire = Wire(running.url)
    receipt = running.pay("sep", wire.sep_token().json["token"]).fields["RefNum"]
    wire.kavenegar("sms/send", receptor="09121234567", message="x", localid=5)
    send_letter(running.smtp_port)
    running.clock(60)
    before = (running.ledger(), running.mail())
    running.kill()
    running.start(tmp_path)
    try:
        wire = Wire(running.url)
        assert (running.ledger(), running.mail()) == before
        assert wire.sep("Verify", receipt).json["ResultCode"] == 0
        wire.kavenegar("sms/send", receptor="09121234567", message="again", localid=5)
        assert [one["text"] for one in running.sms()] == ["x"]
    finally:
        running.stop()


def test_a_book_from_before_refunds_still_opens(tmp_path: Path) -> None:
    running = World().start(tmp_path)
    Wire(running.url).sep_token()
    running.kill()
    with sqlite3.connect(tmp_path / "world.sqlite3") as book:
        book.execute("UPDATE payments SET body = json_remove(body, '$.refunded')")
    book.close()
    running.start(tmp_path)
    try:
        assert running.ledger()[-1]["refunded"] == 0
    finally:
        running.stop()


def test_it_says_one_line_stops_on_sigterm_and_leaves_both_ports() -> None:
    running = World().start()
    port = int(running.url.rpartition(":")[2])
    process = running._process
    assert process is not None
    assert process.stdout is not None
    Wire(running.url).kavenegar("verify/lookup", receptor="09121234567", template="phone-code-fa", token="778899")
    process.terminate()
    assert process.wait(timeout=5) == 0
    assert process.stdout.read() == ""
    running.stop()
    for closed in (port, running.smtp_port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", closed), timeout=1)


def test_a_taken_port_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [sys.executable, "-m", "portal.local.world"],
            cwd=ROOT, env={"WORLD_PORT": port}, capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert port in ended.stderr


def test_it_shares_no_code_with_what_it_tests() -> None:
    asked = "import sys, portal.local.world.__main__; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    names = {name.partition(".")[0] for name in loaded.stdout.split()}
    assert names.isdisjoint({"django", "requests", "kavenegar", "billing", "notifications", "celery", "accounts"})
    ours = {name for name in loaded.stdout.split() if name.startswith("portal.")}
    assert all(name == "portal.local" or name.startswith("portal.local.world") for name in ours)


def test_the_mail_server_keeps_answering_after_a_rude_client(outer: World) -> None:
    with socket.create_connection(("127.0.0.1", outer.smtp_port), timeout=2) as rude:
        rude.sendall(b"EHLO x\r\nMAIL FROM:<a@b.example>\r\n")
    with smtplib.SMTP("127.0.0.1", outer.smtp_port, timeout=5) as polite:
        assert polite.noop()[0] == 250
