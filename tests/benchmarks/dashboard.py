"""Requests per second of a signed-in customer's dashboard, as a share of a bare Django view's on the same server."""

import contextlib
import http.client
import os
import socket
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.browser.stack import ROOT, free_ports

CONNECTIONS, SECONDS, ROUNDS = 8, 2.0, 7
LIMIT = 0.15


def serve(application: str, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gunicorn", application, "-b", f"127.0.0.1:{port}", "--log-level", "error"]
    command += ["--worker-class", "gthread", "--workers", "1", "--threads", "4", "--keep-alive", "30"]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ)


def rate(port: int, path: str, headers: dict[str, str]) -> float:
    """Answered requests per second over SECONDS, by CONNECTIONS kept-alive connections."""
    counts, stop = [0] * CONNECTIONS, time.monotonic() + SECONDS

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        while time.monotonic() < stop:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200 or not body:
                raise RuntimeError(f"{port} answered {answer.status}")
            counts[number] += 1
        connection.close()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(client, range(CONNECTIONS)))  # a client's fault is raised here
    return sum(counts) / SECONDS


def wait_until_open(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"nothing listens on {port}")


def signed_in() -> dict[str, str]:
    """A demo customer's session with services, invoices and messages to show."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client

    from accounts.models import Customer

    for command in ("migrate", "collectstatic", "demo"):
        call_command(command, verbosity=0, **({"interactive": False} if command == "collectstatic" else {}))
    client = Client()
    client.force_login(Customer.objects.filter(is_staff=False, services__isnull=False).first())
    return {"Cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"}


def run() -> dict[str, Any]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    cookie = signed_in()
    ours, stock = free_ports(2)
    servers = [serve("portal.wsgi", ours), serve("tests.benchmarks.stock", stock)]
    asked = [(ours, "/", cookie), (ours, "/healthz", {}), (stock, "/", {})]
    try:
        for port, path, headers in asked:
            wait_until_open(port)
            rate(port, path, headers)  # warm-up
        rounds = [[rate(port, path, headers) for port, path, headers in asked] for _ in range(ROUNDS)]
    finally:
        for server in servers:
            server.terminate()
            server.wait()
    value, reference, _stock = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(dashboard / bare for dashboard, bare, _ in rounds)
    of_stock = statistics.median(dashboard / other for dashboard, _, other in rounds)
    return {
        "name": "dashboard of a signed-in customer",
        "value": value,
        "reference": reference,
        "ratio": ratio,
        "unit": f"requests/s, median of {ROUNDS} interleaved rounds",
        "against": f"a bare view on the same server, /healthz; {of_stock:.3f} of a stock Django without a portal in it",
        "limit": f">={LIMIT}",
        "holds": ratio >= LIMIT,
    }
