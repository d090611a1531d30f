"""Plays a scripted behaviour on the wire: silence, half an answer, a closed door."""

import contextlib
import select
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler

from . import soap
from .scripts import SLOW_S, Step
from .wire import Reply, type_html, type_xml

# Longer than any client should wait; a test's own timeout ends the wait sooner.
SILENCE_S = 120
DRIP_S = 0.5
TEN_MEGABYTES = 10 * 1024 * 1024
ERROR_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


def play(step: Step, to: BaseHTTPRequestHandler, work: Callable[[], Reply], refuse: Callable[[int], Reply]) -> None:
    """`work` does the call for real, `refuse` is the company's own way to answer with an error code."""
    if isinstance(step, Mapping):
        code = step.get("code")
        if isinstance(code, int):
            send(to, refuse(code))
        elif "json" in step:
            send(to, Reply.of(step["json"]))
        elif "raw" in step:
            # An answer with a code shows in which type this company answers.
            send(to, replace(refuse(0), status=200, body=str(step["raw"]).encode()))
        else:
            send(to, work())
        return
    match step:
        case "timeout":
            _say_nothing(to)
        case "timeout_after_commit":
            work()
            _say_nothing(to)
        case "refuse":
            _hang_up(to)
        case "drop_after_commit":
            work()
            _hang_up(to)
        case "slow":
            time.sleep(SLOW_S)
            send(to, work())
        case "500":
            send(to, Reply(500, ERROR_PAGE.encode(), type_html))
        case "html":
            send(to, Reply(200, ERROR_PAGE.encode(), type_html))
        case "fault":
            send(to, soap.fault("soap:Server", "Server was unable to process request."))
        case "truncated":
            done = work()
            send(to, Reply(done.status, done.body[: len(done.body) // 2], done.content_type))
        case "slow_drip":
            _drip(to, work())
        case "huge":
            done = work()
            start, end = (b"<x>", b"</x>") if done.content_type == type_xml else (b'{"x":"', b'"}')
            send(to, Reply(200, start + b"x" * TEN_MEGABYTES + end, done.content_type))
        case _:
            send(to, work())


def send(to: BaseHTTPRequestHandler, reply: Reply) -> None:
    # A client that gave up is its own affair.
    with contextlib.suppress(ConnectionError):
        # Head and body in one piece: in two, the second waits for the first one's acknowledgement.
        to.wfile.write(_head(to, reply) + reply.body)


def _head(to: BaseHTTPRequestHandler, reply: Reply) -> bytes:
    lines = [
        f"{to.protocol_version} {reply.status} {to.responses.get(reply.status, ('',))[0]}",
        f"Server: {to.version_string()}",
        f"Content-Type: {reply.content_type}",
        f"Content-Length: {len(reply.body)}",
        "Cache-Control: no-store",
        *(f"{name}: {value}" for name, value in reply.headers.items()),
        *(["Connection: close"] if to.close_connection else []),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _say_nothing(to: BaseHTTPRequestHandler) -> None:
    to.close_connection = True
    with contextlib.suppress(OSError):
        select.select([to.connection], [], [], SILENCE_S)


def _hang_up(to: BaseHTTPRequestHandler) -> None:
    to.close_connection = True
    with contextlib.suppress(OSError):
        to.connection.shutdown(socket.SHUT_RDWR)


def _drip(to: BaseHTTPRequestHandler, reply: Reply) -> None:
    to.close_connection = True
    with contextlib.suppress(ConnectionError):
        to.wfile.write(_head(to, reply))
        for place in range(len(reply.body)):
            to.wfile.write(reply.body[place : place + 1])
            to.wfile.flush()
            time.sleep(DRIP_S)
