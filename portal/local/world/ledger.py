"""The banks' own book: who was to pay what to whom, and what became of the money."""

import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from math import inf

from .store import Store, iso

STARTED, PAID, VERIFIED, SETTLED = "started", "paid", "verified", "settled"
REVERSED, CANCELLED, FAILED = "reversed", "cancelled", "failed"

NEXT: dict[str, set[str]] = {
    STARTED: {PAID, CANCELLED, FAILED},
    PAID: {VERIFIED, REVERSED},
    VERIFIED: {SETTLED, REVERSED},
    SETTLED: set(),
    REVERSED: set(),
    CANCELLED: set(),
    FAILED: set(),
}

# A test BIN: with it no number made here can be a card that somebody holds.
BIN = "603799"


class ForbiddenMove(Exception):
    """The book does not allow this step from the payment's present state."""


@dataclass(frozen=True)
class Card:
    """A canary card of one payment: each of its `traces` that turns up at the merchant is a leak."""

    number: str
    holder: str

    @classmethod
    def fresh(cls) -> "Card":
        body = BIN + "".join(secrets.choice("0123456789") for _ in range(9))
        word = "".join(secrets.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(8))
        return cls(body + luhn_digit(body), f"CANARY {word}")

    @property
    def hashed(self) -> str:
        return hashlib.sha256(self.number.encode()).hexdigest()

    def masked(self, stars: int) -> str:
        return f"{self.number[:6]}{'*' * stars}{self.number[-4:]}"

    def traces(self) -> list[str]:
        return [self.number, self.holder, self.masked(4), self.masked(6), self.hashed, self.hashed.upper()]


def luhn_digit(body: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(body)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


@dataclass
class Payment:
    """Amount is whole Rials; `details` is what one gateway alone needs to remember."""

    gateway: str
    id: str
    merchant: str
    order: str
    amount: int
    callback_url: str
    state: str = STARTED
    receipt: str | None = None
    rrn: str = ""
    trace: str = ""
    # What went back to the customer after settlement, in Rials.
    refunded: int = 0
    card: Card = field(default_factory=Card.fresh)
    times: dict[str, float] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)

    def seconds_since(self, step: str, now: float) -> float:
        """Infinity when that step has not happened."""
        return now - self.times[step] if step in self.times else float("inf")

    def as_json(self) -> dict[str, object]:
        return {
            "gateway": self.gateway,
            "id": self.id,
            "merchant": self.merchant,
            "order": self.order,
            "amount": self.amount,
            "state": self.state,
            "receipt": self.receipt,
            "rrn": self.rrn,
            "trace": self.trace,
            "refunded": self.refunded,
            "callback_url": self.callback_url,
            "card": asdict(self.card) | {"traces": self.card.traces()},
            "times": {step: iso(at) for step, at in self.times.items()},
        }


class Ledger:
    """Reading the book first gives back the money that nobody asked for in time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # Seconds after payment until an unverified payment goes back, by gateway.
        self.give_back_after: dict[str, int] = {}
        # Nothing is due before this moment, so a call need not read every payment that waits.
        self._quiet_until = 0.0

    def open(self, payment: Payment) -> Payment:
        payment.times["started"] = self._store.now()
        self._store.run(
            "INSERT INTO payments (gateway, id, merchant, order_no, receipt, state, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [payment.gateway, payment.id, payment.merchant, payment.order, None, payment.state, _body(payment)],
        )
        return payment

    def save(self, payment: Payment) -> None:
        self._store.run(
            "UPDATE payments SET receipt = ?, state = ?, body = ? WHERE gateway = ? AND id = ?",
            [payment.receipt, payment.state, _body(payment), payment.gateway, payment.id],
        )

    def move(self, payment: Payment, state: str) -> None:
        if state not in NEXT[payment.state]:
            raise ForbiddenMove(f"{payment.state} to {state}")
        payment.state = state
        payment.times[state] = self._store.now()
        self.save(payment)

    def take_money(self, payment: Payment, receipt: str) -> None:
        payment.receipt = receipt
        payment.rrn = _digits(12)
        payment.trace = _digits(6)
        self.move(payment, PAID)
        self._quiet_until = min(self._quiet_until, self._due(payment))

    def by_id(self, gateway: str, id: str) -> Payment | None:
        return self._first("gateway = ? AND id = ?", [gateway, id])

    def by_receipt(self, gateway: str, receipt: str) -> Payment | None:
        return self._first("gateway = ? AND receipt = ?", [gateway, receipt])

    def by_order(self, gateway: str, merchant: str, order: str) -> Payment | None:
        return self._first("gateway = ? AND merchant = ? AND order_no = ?", [gateway, merchant, order])

    def all(self) -> list[Payment]:
        """Oldest first."""
        self.sweep()
        return list(self._where("1 = 1", []))

    def sweep(self) -> None:
        with self._store.lock:
            now = self._store.now()
            if now <= self._quiet_until:
                return
            waiting = list(self._where("state = ?", [PAID]))
            for payment in waiting:
                if now > self._due(payment):
                    payment.details["given_back"] = "not verified in time"
                    self.move(payment, REVERSED)
            self._quiet_until = min((self._due(payment) for payment in waiting if payment.state == PAID), default=inf)

    def _due(self, payment: Payment) -> float:
        """When the money goes back if nobody asks for it."""
        return payment.times[PAID] + self.give_back_after.get(payment.gateway, inf)

    def _first(self, condition: str, values: list[object]) -> Payment | None:
        self.sweep()
        return next(iter(self._where(condition, values)), None)

    def _where(self, condition: str, values: list[object]) -> Iterable[Payment]:
        rows = self._store.rows(f"SELECT body FROM payments WHERE {condition} ORDER BY seq", values)  # noqa: S608
        for row in rows:
            fields = json.loads(row["body"])
            yield Payment(**fields | {"card": Card(**fields["card"])})


def _body(payment: Payment) -> str:
    return json.dumps(asdict(payment))


def _digits(count: int) -> str:
    return secrets.choice("123456789") + "".join(secrets.choice("0123456789") for _ in range(count - 1))
