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
    """`World()` then `start()`, or `World(url, smtp_port, pop_port)` to join one that runs already."""

    def __init__(self, url: str = "", smtp_port: int = 0, pop_port: int = 0) -> None:
        self.url, self.smtp_port, self.pop_port = url, smtp_port, pop_port
        self._process: subprocess.Popen[str] | None = None

    def start(self, folder: Path | None = None, **environment: str) -> "World":
        """On free ports; `folder` keeps its state from one start to the next, nothing is kept when None."""
        ports = dict.fromkeys(("WORLD_PORT", "WORLD_SMTP_PORT", "WORLD_POP_PORT"), "0")
        environment = {**os.environ, **ports, "WORLD_DIR": str(folder or ""), **environment}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "portal.local.world"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        # Its first line says where it answers; none comes when it could not start.
        said = self._process.stdout.readline().split() if self._process.stdout else []
        if len(said) != 7:
            raise RuntimeError(f"the outside world did not start: {said}")
        self.url, self.smtp_port, self.pop_port = said[2].rstrip("/"), int(said[4]), int(said[6])
        return self

    @property
    def pid(self) -> int | None:
        """Of the process started here."""
        return self._process.pid if self._process else None

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

    def sms_summary(self) -> dict[str, Any]:
        """How many messages, localids and doubles there are, without fetching them."""
        return dict(self._call("GET", "/control/sms/summary"))

    def sms_localids(self) -> list[int]:
        with urllib.request.urlopen(f"{self.url}/control/sms/localids", timeout=10) as answer:
            return [int(line) for line in answer]

    def mail_summary(self) -> dict[str, Any]:
        return dict(self._call("GET", "/control/mail/summary"))

    def bounces(self) -> list[dict[str, Any]]:
        """What lies in the bounce mailbox: uid, size and time. Its letters are read by POP."""
        return list(self._call("GET", "/control/bounces"))

    def next(self, gateway: str, op: str, *do: str | dict[str, Any]) -> None:
        """Scripts the next calls of one operation; the steps are those of portal/local/world/scripts.py."""
        self._call("POST", "/control/next", {"gateway": gateway, "op": op, "do": list(do)})

    def clock(self, seconds: int) -> None:
        """Moves the world's clock on; unverified money goes back by it."""
        self._call("POST", "/control/clock", {"advance_s": seconds})

    def latency(self, **seconds: float) -> None:
        """What every call of a company takes: latency(kavenegar=0.02, smtp=0.01). Those not named take none."""
        self._call("POST", "/control/latency", seconds)

    def credit(self, rial: int) -> None:
        """Sets what is left on the account with Kavenegar."""
        self._call("POST", "/control/credit", {"rial": rial})

    def smsir_credit(self, messages: int) -> None:
        """Sets what is left on the account with SMS.ir."""
        self._call("POST", "/control/credit", {"messages": messages})

    def push_to(self, url: str, how: str = "get") -> None:
        """Where Kavenegar tells of messages at their end, by get, form or json; nowhere when empty."""
        self._call("POST", "/control/push", {"url": url, "how": how})

    def push(self, *pushes: tuple[int, int]) -> list[int | None]:
        """Tells just these (messageid, status) in this order, also again or untrue; the HTTP status of each."""
        wanted = [{"messageid": messageid, "status": status} for messageid, status in pushes]
        return list(self._call("POST", "/control/push/now", {"pushes": wanted}))

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
