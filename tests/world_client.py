"""A test's hand on the outside world: starts it, reads its books, tells it what to do next. Standard library only."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Callback:
    """What the customer's browser would carry to the merchant; `fields` are form fields, or the query of a GET."""

    method: str
    url: str
    fields: dict[str, str]

    @property
    def address(self) -> str:
        """The whole address of a GET callback."""
        return f"{self.url}?{urlencode(self.fields)}"


class World:
    """`World()` then `start()`, or `World(url, smtp_port)` to join one that runs already."""

    def __init__(self, url: str = "", smtp_port: int = 0) -> None:
        self.url, self.smtp_port = url, smtp_port
        self._process: subprocess.Popen[str] | None = None

    def start(self, folder: Path | None = None) -> "World":
        """On free ports; `folder` keeps its state from one start to the next, memory when None."""
        environment = {**os.environ, "WORLD_PORT": "0", "WORLD_SMTP_PORT": "0", "WORLD_DIR": str(folder or "")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "portal.local.world"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        # Its first line says where it answers; none comes when it could not start.
        said = self._process.stdout.readline().split() if self._process.stdout else []
        if len(said) != 5:
            raise RuntimeError(f"the outside world did not start: {said}")
        self.url, self.smtp_port = said[2].rstrip("/"), int(said[4])
        return self

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None

    def kill(self) -> None:
        """As a crash would end it."""
        if self._process is not None:
            self._process.kill()
        self.stop()

    def ledger(self) -> list[dict[str, Any]]:
        """Payments, newest last."""
        return list(self._call("GET", "/control/ledger"))

    def sms(self) -> list[dict[str, Any]]:
        return list(self._call("GET", "/control/sms"))

    def mail(self) -> list[dict[str, Any]]:
        return list(self._call("GET", "/control/mail"))

    def next(self, gateway: str, op: str, *do: str | dict[str, Any]) -> None:
        """Scripts the next calls of one operation; the steps are those of portal/local/world/scripts.py."""
        self._call("POST", "/control/next", {"gateway": gateway, "op": op, "do": list(do)})

    def clock(self, seconds: int) -> None:
        """Moves the world's clock on; unverified money goes back by it."""
        self._call("POST", "/control/clock", {"advance_s": seconds})

    def credit(self, rial: int) -> None:
        """Sets what is left on the SMS account."""
        self._call("POST", "/control/credit", {"rial": rial})

    def pay(self, gateway: str, id: str, do: str = "pay") -> Callback:
        """Presses pay, cancel, fail or pay-and-close; sends nothing, so a test may send, forge, double or drop it."""
        answer = self._call("POST", "/control/pay", {"gateway": gateway, "id": id, "do": do})
        return Callback(answer["method"], answer["url"], answer["fields"])

    def reset(self) -> None:
        """Forgets every payment, message, script and the moved clock."""
        self._call("POST", "/control/reset", {})

    def _call(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data=data, method=method, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{path}: {error.code} {error.read().decode()}") from None
