"""Zibal's gateway, API v1 (its public web docs and PHP sample): request, start, verify, inquiry.

Callers mount it under /zibal. The amount is not sent to verify, so its answer must be compared. A second verify says
201 and nothing else, as the real one does: the amount is then the inquiry's. The docs name no time after which
unverified money goes back: 30 minutes here, as at the other aggregator.
"""

import re
import secrets
from collections.abc import Mapping

from . import ledger as book
from .bank_page import notice_page, pay_page
from .ledger import Ledger, Payment
from .store import Store, tehran
from .wire import BadBody, Callback, Reply, Request, Route

# Ours, and the one that the real Zibal gives to everybody who wants to try it.
MERCHANTS = {"zibal-2015", "zibal"}
MIN_RIAL, MAX_RIAL = 1_000, 2_000_000_000

RESULTS = {
    100: "success",
    102: "merchant not found",
    103: "merchant is not active",
    104: "merchant is not valid",
    105: "amount must be at least 1000",
    106: "callbackUrl is not valid",
    113: "amount is over the limit",
    114: "nationalCode is not valid",
    201: "previously verifed",
    202: "transaction failed",
    203: "trackId not found",
}
STATUSES = {
    book.STARTED: -1,
    book.PAID: 2,
    book.VERIFIED: 1,
    book.SETTLED: 1,
    book.CANCELLED: 3,
    book.FAILED: 5,
    book.REVERSED: 18,
}


class Zibal:
    slug = "zibal"
    name_fa, name_en = "درگاه آزمایشی زیبال", "Pretend Zibal gateway"
    give_back_after = 30 * 60

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store, self._ledger = store, ledger

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/zibal/v1/request", self._start, "zibal", "start"),
            Route("GET", "/zibal/start/*", self._page, "zibal", "browser"),
            Route("POST", "/zibal/v1/verify", self._verify, "zibal", "verify"),
            Route("POST", "/zibal/v1/inquiry", self._inquiry, "zibal", "inquiry"),
        ]

    def refuse(self, op: str, code: int) -> Reply:
        return _result(code)

    def new_receipt(self) -> str:
        return secrets.choice("123456789") + "".join(secrets.choice("0123456789") for _ in range(9))

    def callback(self, payment: Payment) -> Callback:
        fields = {
            "trackId": payment.id,
            "success": "1" if payment.receipt else "0",
            "status": str(STATUSES[payment.state]),
            "orderId": payment.order,
        }
        return Callback("GET", payment.callback_url, fields)

    def _start(self, request: Request) -> Reply:
        asked = _asked(request)
        if isinstance(asked, Reply):
            return asked
        code = _what_is_wrong(asked)
        if code:
            return _result(code)
        payment = Payment(
            gateway=self.slug,
            id=secrets.choice("123456789") + "".join(secrets.choice("0123456789") for _ in range(13)),
            merchant=str(asked["merchant"]),
            order=str(asked.get("orderId") or ""),
            amount=int(str(asked["amount"])),
            callback_url=str(asked["callbackUrl"]),
            details={"description": str(asked.get("description") or "")},
        )
        self._ledger.open(payment)
        return _result(100, {"trackId": int(payment.id)})

    def _page(self, request: Request) -> Reply:
        payment = self._ledger.by_id(self.slug, request.path.removeprefix("/zibal/start/"))
        if payment is None:
            return notice_page("این پرداخت یافت نشد", "No such trackId", status=404)
        return pay_page(self, payment)

    def _verify(self, request: Request) -> Reply:
        found = self._session(request)
        if isinstance(found, Reply):
            return found
        if found.state in (book.VERIFIED, book.SETTLED):
            return _result(201)
        if found.state != book.PAID:
            return _result(202)
        self._ledger.move(found, book.VERIFIED)
        return _result(100, _payment(found, request.twist))

    def _inquiry(self, request: Request) -> Reply:
        found = self._session(request)
        if isinstance(found, Reply):
            return found
        times = {"createdAt": _time(found, book.STARTED), "verifiedAt": _time(found, book.VERIFIED), "wage": 0}
        return _result(100, _payment(found, request.twist) | times)

    def _session(self, request: Request) -> Payment | Reply:
        asked = _asked(request)
        if isinstance(asked, Reply):
            return asked
        found = self._ledger.by_id(self.slug, str(asked.get("trackId", "")))
        return found if found and found.merchant == asked["merchant"] else _result(203)


def _asked(request: Request) -> dict[str, object] | Reply:
    if request.content_type != "application/json":
        return Reply.of({"message": "application/json is expected"}, 415)
    try:
        asked = request.json()
    except BadBody:
        return Reply.of({"message": "not a JSON object"}, 400)
    return asked if asked.get("merchant") in MERCHANTS else _result(102)


def _what_is_wrong(asked: Mapping[str, object]) -> int:
    """The docs' code for the first field that breaks their table; 0 when none does."""
    sent = asked.get("amount")
    whole = not isinstance(sent, bool) and re.fullmatch(r"[0-9]{1,15}", str(sent))
    amount = int(str(sent)) if whole else 0
    checks = {
        105: amount >= MIN_RIAL,
        106: re.match(r"https?://[^/\s]+", str(asked.get("callbackUrl"))),
        113: amount <= MAX_RIAL,
    }
    return next((code for code, holds in checks.items() if not holds), 0)


def _payment(payment: Payment, twist: Mapping[str, object]) -> dict[str, object]:
    return {
        "paidAt": _time(payment, book.PAID),
        "cardNumber": payment.card.masked(6) if payment.receipt else None,
        "status": STATUSES[payment.state],
        "amount": twist.get("amount", payment.amount),
        "refNumber": int(payment.receipt) if payment.receipt else None,
        "description": payment.details["description"],
        "orderId": payment.order,
        "multiplexingInfos": [],
    }


def _time(payment: Payment, step: str) -> str | None:
    """Tehran's time and no word of it, as in the docs' examples."""
    return tehran(payment.times[step]).replace(" ", "T") + ".000000" if step in payment.times else None


def _result(code: int, more: Mapping[str, object] | None = None) -> Reply:
    return Reply.of({"message": RESULTS.get(code, "error"), "result": code} | dict(more or {}))
