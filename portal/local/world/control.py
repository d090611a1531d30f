"""The tests' side door: what happened (ledger, sms, mail), what shall happen next, and the clock."""

from dataclasses import asdict

from .bank import Bank, NoSuchPayment
from .kavenegar_texts import Texts
from .ledger import ForbiddenMove, Ledger
from .mailbox import Mailbox
from .scripts import Scripts, UnknownStep
from .store import Store, iso
from .wire import BadBody, Reply, Request, Route


class Control:
    def __init__(
        self, store: Store, ledger: Ledger, bank: Bank, texts: Texts, mailbox: Mailbox, scripts: Scripts
    ) -> None:
        self._store, self._ledger, self._bank = store, ledger, bank
        self._texts, self._mailbox, self._scripts = texts, mailbox, scripts

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/healthz", self._health),
            Route("GET", "/control/ledger", self._show_ledger),
            Route("GET", "/control/sms", self._show_sms),
            Route("GET", "/control/mail", self._show_mail),
            Route("POST", "/control/next", self._next),
            Route("POST", "/control/clock", self._clock),
            Route("POST", "/control/credit", self._credit),
            Route("POST", "/control/pay", self._pay),
            Route("POST", "/control/reset", self._reset),
        ]

    def _health(self, request: Request) -> Reply:
        return Reply.of({"ok": True, "now": iso(self._store.now())})

    def _show_ledger(self, request: Request) -> Reply:
        return Reply.of([payment.as_json() for payment in self._ledger.all()])

    def _show_sms(self, request: Request) -> Reply:
        now = self._store.now()
        return Reply.of([text.as_json(now) for text in self._texts.all()])

    def _show_mail(self, request: Request) -> Reply:
        return Reply.of([letter.as_json() for letter in self._mailbox.all()])

    def _next(self, request: Request) -> Reply:
        """{"gateway", "op", "do": one step or a list of them}; see scripts.STEPS."""
        try:
            asked = request.json()
            steps = asked["do"]
            self._scripts.add(str(asked["gateway"]), str(asked["op"]), steps if isinstance(steps, list) else [steps])
        except (BadBody, KeyError, UnknownStep) as error:
            return Reply.of({"error": str(error)}, 400)
        return Reply.of({"ok": True})

    def _clock(self, request: Request) -> Reply:
        seconds = _number(request, "advance_s")
        if seconds is None:
            return Reply.of({"error": "advance_s is a whole number of seconds, not negative"}, 400)
        self._store.advance(seconds)
        self._ledger.sweep()
        return Reply.of({"now": iso(self._store.now())})

    def _credit(self, request: Request) -> Reply:
        """What is left on the SMS account, in Rials."""
        rials = _number(request, "rial")
        if rials is None:
            return Reply.of({"error": "rial is a whole number, not negative"}, 400)
        self._store.set_fact("credit_rial", rials)
        return Reply.of({"ok": True})

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
        return Reply.of({"ok": True})


def _number(request: Request, name: str) -> int | None:
    try:
        value = request.json().get(name)
    except BadBody:
        return None
    return value if type(value) is int and value >= 0 else None
