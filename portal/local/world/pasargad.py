"""Pasargad's gateway, as in its "IPG REST" document v9.0 (Mordad 1403, "Dorsa"): token, purchase, inquiry, confirm.

Callers mount it under /pasargad. Confirm takes the money for good; verify leaves it to be reversed until the deadline,
when it counts as confirmed. What a payment has come to is `data.status` of the inquiry, with `resultCode` 0.
"""

import base64
import hmac
import json
import re
import secrets
from collections.abc import Mapping

from . import ledger as book
from .bank_page import notice_page, pay_page
from .ledger import Ledger, Payment
from .store import Store, is_day, tehran
from .wire import BadBody, Callback, Reply, Request, Route

CONFIRM_WITHIN_S = 10 * 60
TOKEN_S = 10 * 60
USERNAME, PASSWORD, TERMINAL = "portal", "pretend-password", 2015

RESULTS = {
    0: "Successful",
    401: "not authorized",
    500: "Internal server error",
    13000: "Invalid Input",
    13003: "Invoice is not unique",
    13015: "between each api call must be 2 minutes",
    13016: "Transaction not found",
    13018: "Not Found",
    13022: "transaction not payed",
    13028: "Invalid callback domain",
    13029: "Transaction was verified successfully",
    13030: "Transaction was verified and failed",
    13031: "Transaction is waiting for verify",
    13033: "Transaction was reversed",
    13045: "Transaction was cancelled by the user",
    13046: "Transaction was settled",
    13055: "Invalid amount",
    13075: "Time of confirm is over",
    13076: "Time of reverse is over",
}
INQUIRY = {
    book.STARTED: 13022,
    book.PAID: 13031,
    book.VERIFIED: 13029,
    book.SETTLED: 13029,
    book.REVERSED: 13033,
    book.CANCELLED: 13045,
    book.FAILED: 13022,
}


class Pasargad:
    slug = "pasargad"
    name_fa, name_en = "درگاه آزمایشی پاسارگاد", "Pretend Pasargad gateway"
    give_back_after = CONFIRM_WITHIN_S

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store, self._ledger = store, ledger
        # Of one life of the process: after a new start all tokens are old, which a merchant must bear anyway.
        self._key = secrets.token_bytes(32)

    def routes(self) -> list[Route]:
        api = "/pasargad/api/payment"
        return [
            Route("POST", "/pasargad/token/getToken", self._token, "pasargad", "token"),
            Route("POST", f"{api}/purchase", self._start, "pasargad", "start"),
            Route("POST", f"{api}/payment-inquiry", self._inquiry, "pasargad", "inquiry"),
            Route("POST", f"{api}/confirm-transactions", self._confirm, "pasargad", "verify"),
            Route("POST", f"{api}/verify-transactions", self._verify, "pasargad", "verify2"),
            Route("POST", f"{api}/reverse-transactions", self._reverse, "pasargad", "reverse"),
            Route("GET", "/pasargad/*", self._page, "pasargad", "browser"),
        ]

    def refuse(self, op: str, code: int) -> Reply:
        return _result(code)

    def new_receipt(self) -> str:
        return secrets.choice("123456789") + "".join(secrets.choice("0123456789") for _ in range(11))

    def callback(self, payment: Payment) -> Callback:
        fields = {
            "invoiceId": payment.order,
            "status": "success" if payment.receipt else "failed",
            "referenceNumber": payment.receipt or "",
            "trackId": payment.trace,
        }
        return Callback("GET", payment.callback_url, fields)

    def _token(self, request: Request) -> Reply:
        asked = _body(request)
        if isinstance(asked, Reply):
            return asked
        if (asked.get("username"), asked.get("password")) != (USERNAME, PASSWORD):
            return _result(401)
        now = int(self._store.now())
        head, claims = {"alg": "HS256", "typ": "JWT"}, {"exp": now + TOKEN_S, "jti": "10060", "iat": now}
        signed = f"{_encoded(json.dumps(head).encode())}.{_encoded(json.dumps(claims | {'sub': USERNAME}).encode())}"
        who = {"username": USERNAME, "userId": "10060", "roles": [{"authority": "merchant"}]}
        return Reply.of({"resultMsg": RESULTS[0], "resultCode": 0, "token": f"{signed}.{self._seal(signed)}"} | who)

    def _start(self, request: Request) -> Reply:
        asked = self._asked(request)
        if isinstance(asked, Reply):
            return asked
        code = _what_is_wrong(asked)
        if code:
            return _result(code)
        invoice = str(asked["invoice"])
        if self._ledger.by_order(self.slug, str(TERMINAL), invoice):
            return _result(13003)
        payment = Payment(
            gateway=self.slug,
            id=secrets.token_hex(27),
            merchant=str(TERMINAL),
            order=invoice,
            amount=int(str(asked["amount"])),
            callback_url=str(asked["callbackApi"]),
            details={"description": str(asked.get("description") or "")},
        )
        self._ledger.open(payment)
        url = f"http://{request.headers.get('host', 'localhost')}/pasargad/{payment.id}"
        return _result(0, {"urlId": payment.id, "url": url})

    def _page(self, request: Request) -> Reply:
        payment = self._ledger.by_id(self.slug, request.path.rsplit("/", 1)[-1])
        if payment is None:
            return notice_page("این پرداخت یافت نشد", "No such payment", status=404)
        return pay_page(self, payment)

    def _inquiry(self, request: Request) -> Reply:
        asked = self._asked(request)
        if isinstance(asked, Reply):
            return asked
        found = self._ledger.by_order(self.slug, str(TERMINAL), str(asked.get("invoiceId", "")))
        if found is None:
            return _result(13016)
        data = {
            "status": INQUIRY[found.state],
            "trackId": found.trace,
            "transactionId": found.rrn,
            "amount": request.twist.get("amount", found.amount),
            "cardNumber": found.card.masked(6) if found.receipt else None,
            "invoice": found.order,
            "url": found.id,
            "referenceNumber": found.receipt,
            "requestDate": _date(found),
        }
        return _result(0, data)

    def _confirm(self, request: Request) -> Reply:
        found = self._transaction(request)
        if isinstance(found, Reply):
            return found
        if found.state == book.PAID:
            self._ledger.move(found, book.VERIFIED)
        elif found.state != book.VERIFIED:
            return _result(_why_not(found))
        self._ledger.move(found, book.SETTLED)
        return _result(0, _receipt(found, request.twist))

    def _verify(self, request: Request) -> Reply:
        found = self._transaction(request)
        if isinstance(found, Reply):
            return found
        if found.state != book.PAID:
            return _result(_why_not(found))
        self._ledger.move(found, book.VERIFIED)
        return _result(0, _receipt(found, request.twist))

    def _reverse(self, request: Request) -> Reply:
        found = self._transaction(request)
        if isinstance(found, Reply):
            return found
        if found.state == book.SETTLED:
            return _result(13076 if self._is_late(found) else 13046)
        if found.state != book.VERIFIED:
            return _result(INQUIRY[found.state])
        self._ledger.move(found, book.REVERSED)
        return _result(0)

    def _transaction(self, request: Request) -> Payment | Reply:
        asked = self._asked(request)
        if isinstance(asked, Reply):
            return asked
        found = self._ledger.by_id(self.slug, str(asked.get("urlId", "")))
        if found is None or found.order != str(asked.get("invoice")):
            return _result(13016)
        if found.state == book.VERIFIED and self._is_late(found):
            self._ledger.move(found, book.SETTLED)
        return found

    def _is_late(self, payment: Payment) -> bool:
        return payment.seconds_since(book.PAID, self._store.now()) > CONFIRM_WITHIN_S

    def _asked(self, request: Request) -> dict[str, object] | Reply:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        signed, _, seal = token.rpartition(".")
        if kind != "Bearer" or not hmac.compare_digest(self._seal(signed).encode(), seal.encode()):
            return _result(401)
        claims = signed.partition(".")[2]
        if json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"] <= self._store.now():
            return _result(401)
        return _body(request)

    def _seal(self, signed: str) -> str:
        return _encoded(hmac.digest(self._key, signed.encode(), "sha256"))


def _body(request: Request) -> dict[str, object] | Reply:
    if request.content_type != "application/json":
        return Reply.of({"resultMsg": "Unsupported Media Type", "resultCode": 415}, 415)
    try:
        return request.json()
    except BadBody:
        return _result(13000)


def _what_is_wrong(asked: Mapping[str, object]) -> int:
    """The document's code for the first field that breaks its table; 0 when none does."""
    amount = asked.get("amount")
    checks = {
        13018: str(asked.get("terminalNumber")) == str(TERMINAL),
        13055: not isinstance(amount, bool) and re.fullmatch(r"[1-9][0-9]{0,14}", str(amount)),
        13028: re.match(r"https?://[^/\s]+", str(asked.get("callbackApi"))),
        13000: re.fullmatch(r"\S{1,50}", str(asked.get("invoice") or ""))
        and is_day(str(asked.get("invoiceDate")))
        and (str(asked.get("serviceCode")), asked.get("serviceType")) == ("8", "PURCHASE"),
    }
    return next((code for code, holds in checks.items() if not holds), 0)


def _why_not(payment: Payment) -> int:
    """The code for a confirm or verify that comes at the wrong time."""
    return 13075 if payment.details.get("given_back") else INQUIRY[payment.state]


def _receipt(payment: Payment, twist: Mapping[str, object]) -> dict[str, object]:
    return {
        "invoice": payment.order,
        "referenceNumber": payment.receipt,
        "trackId": payment.trace,
        "maskedCardNumber": payment.card.masked(6),
        "hashedCardNumber": payment.card.hashed,
        "requestDate": _date(payment),
        "amount": twist.get("amount", payment.amount),
    }


def _date(payment: Payment) -> str:
    """When it was asked for, in Tehran's time."""
    return tehran(payment.times[book.STARTED]).replace(" ", "T") + ".000"


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def _result(code: int, data: Mapping[str, object] | None = None) -> Reply:
    answer: dict[str, object] = {"resultMsg": RESULTS.get(code, "failure"), "resultCode": code}
    return Reply.of(answer if data is None else answer | {"data": data}, code if code in (401, 500) else 200)
