"""Zarinpal's gateway, web API v4 (its public web docs and PHP SDK): request, StartPay, verify, inquiry, reverse.

Callers mount it under /zarinpal. `data` and `errors` change between list and object exactly as the real ones do.
The docs name no time after which unverified money goes back (a switch in their panel decides): 30 minutes here.
"""

import re
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from . import ledger as book
from .bank_page import notice_page, pay_page
from .ledger import Ledger, Payment
from .store import Store, tehran
from .wire import BadBody, Callback, Reply, Request, Route

REVERSE_WITHIN_S = 30 * 60
RIALS = {"IRR": 1, "IRT": 10}
MIN_RIAL, MAX_RIAL = 1_000, 1_000_000_000
UNVERIFIED_AT_MOST = 100

ERRORS = {
    -9: "The input params invalid, validation error.",
    -10: "Terminal is not valid, please check merchant_id or ip address.",
    -11: "Terminal is not active, please contact our support team.",
    -12: "To many attempts, please try again later.",
    -15: "Terminal user is suspend : (please contact our support team).",
    -41: "Maximum amount is 100,000,000 toman.",
    -50: "Session is not valid, amounts values is not the same.",
    -51: "Session is not valid, session is not active paid try.",
    -52: "Oops!!, please contact our support team",
    -53: "Session is not this merchant_id session",
    -54: "Invalid authority.",
    -60: "Session can not be reversed with bank.",
    -61: "Session is not in success status.",
    -62: "Terminal ip limit must be active.",
    -63: "Maximum time for reverse this session is expired.",
}
INQUIRY = {
    book.STARTED: "IN_BANK",
    book.PAID: "PAID",
    book.VERIFIED: "VERIFIED",
    book.SETTLED: "VERIFIED",
    book.REVERSED: "REVERSED",
    book.CANCELLED: "FAILED",
    book.FAILED: "FAILED",
}


class Zarinpal:
    slug = "zarinpal"
    name_fa, name_en = "درگاه آزمایشی زرین‌پال", "Pretend Zarinpal gateway"
    give_back_after = 30 * 60

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store, self._ledger = store, ledger

    def routes(self) -> list[Route]:
        api = "/zarinpal/pg/v4/payment"
        return [
            Route("POST", f"{api}/request.json", self._start, "zarinpal", "start"),
            Route("POST", f"{api}/verify.json", self._verify, "zarinpal", "verify"),
            Route("POST", f"{api}/inquiry.json", self._inquiry, "zarinpal", "inquiry"),
            Route("POST", f"{api}/unVerified.json", self._unverified, "zarinpal", "unverified"),
            Route("POST", f"{api}/reverse.json", self._reverse, "zarinpal", "reverse"),
            Route("GET", "/zarinpal/pg/StartPay/*", self._page, "zarinpal", "browser"),
        ]

    def refuse(self, op: str, code: int) -> Reply:
        return _error(code)

    def new_receipt(self) -> str:
        return secrets.choice("123456789") + "".join(secrets.choice("0123456789") for _ in range(10))

    def callback(self, payment: Payment) -> Callback:
        status = "OK" if payment.receipt else "NOK"
        return Callback("GET", payment.callback_url, {"Authority": payment.id, "Status": status})

    def _start(self, request: Request) -> Reply:
        asked = _asked(request)
        if isinstance(asked, Reply):
            return asked
        wrong = _what_is_wrong(asked)
        if wrong:
            return _error(-9, [{name: f"The {name} field is not valid."} for name in wrong])
        currency = str(asked.get("currency", "IRR"))
        amount = int(str(asked["amount"])) * RIALS[currency]
        if amount > MAX_RIAL:
            return _error(-41)
        metadata = asked.get("metadata")
        payment = Payment(
            gateway=self.slug,
            id="A" + secrets.token_hex(18)[:35].rjust(35, "0"),
            merchant=str(asked["merchant_id"]),
            order=str(metadata.get("order_id", "")) if isinstance(metadata, dict) else "",
            amount=amount,
            callback_url=str(asked["callback_url"]),
            details={"currency": currency, "description": str(asked["description"])},
        )
        self._ledger.open(payment)
        return _data({"code": 100, "message": "Success", "authority": payment.id, "fee_type": "Merchant", "fee": 0})

    def _page(self, request: Request) -> Reply:
        payment = self._ledger.by_id(self.slug, request.path.rsplit("/", 1)[-1])
        if payment is None:
            return notice_page("این پرداخت یافت نشد", "No such authority", status=404)
        return pay_page(self, payment)

    def _verify(self, request: Request) -> Reply:
        asked, found = self._session(request)
        if isinstance(found, Reply):
            return found
        if found.state not in (book.PAID, book.VERIFIED, book.SETTLED):
            return _error(-51)
        sent = str(asked.get("amount", ""))
        # The amount is in the unit of the request, and it is all that ties the money to the order.
        if not re.fullmatch(r"[0-9]{1,15}", sent) or int(sent) * RIALS[found.details["currency"]] != found.amount:
            return _error(-50)
        first = found.state == book.PAID
        if first:
            self._ledger.move(found, book.VERIFIED)
        return _data(
            {
                "code": 100 if first else 101,
                "message": "Paid" if first else "Verified",
                "card_hash": found.card.hashed.upper(),
                "card_pan": found.card.masked(6),
                "ref_id": int(found.receipt or 0),
                "fee_type": "Merchant",
                "fee": 0,
            }
        )

    def _inquiry(self, request: Request) -> Reply:
        _, found = self._session(request)
        if isinstance(found, Reply):
            return found
        return _data({"code": 100, "message": "Success", "status": INQUIRY[found.state]})

    def _unverified(self, request: Request) -> Reply:
        asked = _asked(request)
        if isinstance(asked, Reply):
            return asked
        waiting = [
            {
                "authority": payment.id,
                "amount": payment.amount // RIALS[payment.details["currency"]],
                "callback_url": payment.callback_url,
                "referer": urlsplit(payment.callback_url).netloc,
                "date": tehran(payment.times[book.PAID]),
            }
            for payment in self._ledger.all()
            if payment.gateway == self.slug
            and payment.merchant == asked.get("merchant_id")
            and payment.state == book.PAID
        ]
        return _data({"code": 100, "message": "Success", "authorities": waiting[-UNVERIFIED_AT_MOST:]})

    def _reverse(self, request: Request) -> Reply:
        _, found = self._session(request)
        if isinstance(found, Reply):
            return found
        if found.state not in (book.PAID, book.VERIFIED):
            return _error(-61)
        if found.seconds_since(book.PAID, self._store.now()) > REVERSE_WITHIN_S:
            return _error(-63)
        self._ledger.move(found, book.REVERSED)
        return _data({"code": 100, "message": "Reversed"})

    def _session(self, request: Request) -> tuple[Mapping[str, object], Payment | Reply]:
        asked = _asked(request)
        if isinstance(asked, Reply):
            return {}, asked
        found = self._ledger.by_id(self.slug, str(asked.get("authority", "")))
        if found is None:
            return asked, _error(-54)
        if found.merchant != asked.get("merchant_id"):
            return asked, _error(-53)
        return asked, found


def _asked(request: Request) -> dict[str, object] | Reply:
    if request.content_type != "application/json":
        return _error(-9, [{"content-type": "application/json is expected."}])
    try:
        asked = request.json()
    except BadBody:
        return _error(-9)
    if not re.fullmatch(r"[0-9a-fA-F-]{36}", str(asked.get("merchant_id", ""))):
        return _error(-9, [{"merchant_id": "The merchant id must be 36 characters."}])
    return asked


def _what_is_wrong(asked: Mapping[str, object]) -> list[str]:
    """Names of the fields that break the docs' table."""
    amount, currency = asked.get("amount"), asked.get("currency", "IRR")
    known = currency in RIALS
    whole = not isinstance(amount, bool) and re.fullmatch(r"[0-9]{1,15}", str(amount))
    checks = {
        "currency": known,
        "amount": whole and known and int(str(amount)) * RIALS[str(currency)] >= MIN_RIAL,
        "description": 0 < len(str(asked.get("description") or "")) <= 500,
        "callback_url": re.match(r"https?://[^/\s]+", str(asked.get("callback_url"))),
        "metadata": isinstance(asked.get("metadata", {}), dict),
    }
    return [name for name, holds in checks.items() if not holds]


def _data(data: Mapping[str, object]) -> Reply:
    return Reply.of({"data": data, "errors": []})


def _error(code: int, validations: list[dict[str, str]] | None = None) -> Reply:
    errors = {"code": code, "message": ERRORS.get(code, "Error"), "validations": validations or []}
    return Reply.of({"data": [], "errors": errors}, 422 if code == -9 else 400)
