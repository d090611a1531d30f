"""The tests' side door: the bank's ledger, what shall happen next, the clock.

GET  /healthz
GET  /control/ledger   every payment, oldest first
POST /control/next     {"gateway", "op", "do": a step or a list of steps}: what the next calls do; see scripts.py
POST /control/latency  {"kavenegar": 0.02, "smtp": 0.01}: seconds that every call of these takes, replacing all earlier
POST /control/clock    {"advance_s": 60}: moves the world's clock on
POST /control/pay      {"gateway", "id", "do": "pay", "cancel", "fail" or "pay-and-close"}: answers the callback
POST /control/reset    forgets everything but what it was started with

What concerns SMS and mail is in control_messages.py.
"""

import math
from dataclasses import asdict

from .bank import Bank, NoSuchPayment
from .ledger import ForbiddenMove, Ledger
from .push import Push
from .scripts import Scripts, UnknownStep
from .store import Store, iso
from .wire import BadBody, Reply, Request, Route


class Control:
    def __init__(self, store: Store, ledger: Ledger, bank: Bank, scripts: Scripts, push: Push) -> None:
        self._store, self._ledger, self._bank, self._scripts, self._push = store, ledger, bank, scripts, push
        self._pushed_to = push.where

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/healthz", self._health),
            Route("GET", "/control/ledger", self._show_ledger),
            Route("POST", "/control/next", self._next),
            Route("POST", "/control/latency", self._latency),
            Route("POST", "/control/clock", self._clock),
            Route("POST", "/control/pay", self._pay),
            Route("POST", "/control/reset", self._reset),
        ]

    def _health(self, request: Request) -> Reply:
        return Reply.of({"ok": True, "now": iso(self._store.now())})

    def _show_ledger(self, request: Request) -> Reply:
        return Reply.of([payment.as_json() for payment in self._ledger.all()])

    def _next(self, request: Request) -> Reply:
        try:
            asked = request.json()
            steps = asked["do"]
            self._scripts.add(str(asked["gateway"]), str(asked["op"]), steps if isinstance(steps, list) else [steps])
        except (BadBody, KeyError, UnknownStep) as error:
            return Reply.of({"error": str(error)}, 400)
        return Reply.of({"ok": True})

    def _latency(self, request: Request) -> Reply:
        try:
            asked = request.json()
        except BadBody as error:
            return Reply.of({"error": str(error)}, 400)
        if not all(_is_seconds(value) for value in asked.values()):
            return Reply.of({"error": "latency is seconds by name, not negative"}, 400)
        self._scripts.latency = {name: float(str(value)) for name, value in asked.items()}
        return Reply.of({"ok": True})

    def _clock(self, request: Request) -> Reply:
        seconds = whole_number(request, "advance_s")
        if seconds is None:
            return Reply.of({"error": "advance_s is a whole number of seconds, not negative"}, 400)
        self._store.advance(seconds)
        self._ledger.sweep()
        return Reply.of({"now": iso(self._store.now())})

    def _pay(self, request: Request) -> Reply:
        """Presses a button of the bank page; answers the callback and sends it to nobody, so a test may forge it."""
        try:
            asked = request.json()
            callback = self._bank.press(str(asked["gateway"]), str(asked["id"]), str(asked["do"]))
        except (BadBody, KeyError) as error:
            return Reply.of({"error": str(error)}, 400)
        except NoSuchPayment as error:
            return Reply.of({"error": str(error)}, 404)
        except ForbiddenMove as error:
            return Reply.of({"error": str(error)}, 409)
        return Reply.of(asdict(callback))

    def _reset(self, request: Request) -> Reply:
        self._store.forget_everything()
        self._scripts.clear()
        self._push.set(*self._pushed_to)
        return Reply.of({"ok": True})


def whole_number(request: Request, name: str) -> int | None:
    """Not negative."""
    try:
        value = request.json().get(name)
    except BadBody:
        return None
    return value if type(value) is int and value >= 0 else None


def _is_seconds(value: object) -> bool:
    return type(value) in (int, float) and 0 <= float(str(value)) < math.inf
