"""Parsian's gateway (PEC, "NewIPGServices"), SOAP 1.1 as public clients of it speak: sale, confirm, reversal.

Callers mount it under /parsian. Its guide was not at hand: token life, minimum, and the times for confirming and for
reversal are guesses. Known is that a second confirm of one token says success again; a script's {"code": -1533} makes
it say what the code table has for that.
"""

import re
import secrets
from collections.abc import Callable, Mapping

from . import ledger as book
from . import soap
from .bank_page import notice_page, pay_page
from .ledger import Ledger, Payment
from .store import Store
from .wire import Callback, Reply, Request, Route

SERVICES = "https://pec.Shaparak.ir/NewIPGServices"
SALE = f"{SERVICES}/Sale/SaleService"
CONFIRM = f"{SERVICES}/Confirm/ConfirmService"
REVERSAL = f"{SERVICES}/Reversal/ReversalService"
PIN, TERMINAL = "pretend-pin-2015", "2015"
PAGE_WITHIN_S = 15 * 60
CONFIRM_WITHIN_S = 15 * 60
REVERSE_WITHIN_S = 3600
MIN_RIAL = 1_000

OPS = {
    "SalePaymentRequest": "start",
    "ConfirmPaymentWithAmount": "verify",
    "ConfirmPayment": "verify",
    "ReversalRequest": "reverse",
}
SPACES = {"start": SALE, "verify": CONFIRM, "reverse": REVERSAL}
NEEDED = {
    "SalePaymentRequest": {"LoginAccount", "OrderId", "Amount", "CallBackUrl"},
    "ConfirmPaymentWithAmount": {"LoginAccount", "Token", "OrderId", "Amount"},
    "ConfirmPayment": {"LoginAccount", "Token"},
    "ReversalRequest": {"LoginAccount", "Token"},
}
OPTIONAL = {"SalePaymentRequest": {"AdditionalData", "Originator"}}
LONGS = {"OrderId", "Amount", "Token"}
# What an answer holds when there is nothing to say in it; the elements in their order.
BLANKS: dict[str, dict[str, object]] = {
    "start": {"Token": 0, "Message": "", "Status": 0},
    "verify": {"Status": 0, "CardNumberMasked": "", "RRN": 0, "Token": 0},
    "reverse": {"Status": 0, "Message": "", "Token": 0},
}

RESULTS = {
    0: "عملیات موفق",
    -102: "تراکنش با موفقیت برگشت داده شده است",
    -112: "شماره سفارش تکراری است",
    -113: "پارامتر ورودی خالی است",
    -120: "طول داده ورودی معتبر نیست",
    -126: "کد شناسایی پذیرنده معتبر نیست",
    -131: "توکن نامعتبر است",
    -132: "مبلغ تراکنش کمتر از حداقل مجاز است",
    -138: "عملیات پرداخت توسط کاربر لغو شد",
    -1531: "تراکنش ناموفق قابل تأیید نیست",
    -1533: "تراکنش پیش‌تر تأیید شده است",
    -1540: "تأیید تراکنش ناموفق بود",
    -1549: "زمان مجاز برای برگشت تراکنش گذشته است",
    -1550: "برگشت تراکنش در این وضعیت ممکن نیست",
    -1551: "تراکنش پیش‌تر برگشت خورده است",
}

# What a token that is not paid, or paid no more, answers to a confirm.
UNCONFIRMED = {book.STARTED: -1531, book.FAILED: -1531, book.CANCELLED: -138, book.REVERSED: -102}


class Parsian:
    slug = "parsian"
    name_fa, name_en = "درگاه آزمایشی پارسیان", "Pretend Parsian gateway"
    give_back_after = CONFIRM_WITHIN_S

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store, self._ledger = store, ledger

    def routes(self) -> list[Route]:
        services = "/parsian/NewIPGServices"
        return [
            Route("POST", f"{services}/Sale/SaleService.asmx", self._sale, "parsian", "start"),
            Route("POST", f"{services}/Confirm/ConfirmService.asmx", self._confirm, "parsian", "verify"),
            Route("POST", f"{services}/Reverse/ReversalService.asmx", self._reversal, "parsian", "reverse"),
            Route("GET", "/parsian/NewIPG/", self._page, "parsian", "browser"),
        ]

    def refuse(self, op: str, code: int) -> Reply:
        """To a confirm, as if it had been the one with the amount."""
        if op == "browser":
            return notice_page(f"خطای {code}", f"Error {code}", status=403)
        return _result(next(name for name in OPS if OPS[name] == op), code)

    def new_receipt(self) -> str:
        """The RRN that callback and confirm name; the ledger's own `rrn` stays inside the bank."""
        return str(10**11 + secrets.randbelow(9 * 10**11))

    def callback(self, payment: Payment) -> Callback:
        """Every field that public clients know of, the card's hash included, as the real one sends unasked."""
        codes = {book.CANCELLED: "-138", book.FAILED: "51"}
        met_card = payment.receipt is not None or payment.state == book.FAILED
        fields = {
            "Token": payment.id,
            "status": codes.get(payment.state, "0"),
            "OrderId": payment.order,
            "TerminalNo": payment.merchant,
            "RRN": payment.receipt or "0",
            "Amount": f"{payment.amount:,}",
            "HashCardNumber": payment.card.hashed.upper() if met_card else "",
            "STraceNo": payment.trace,
        }
        return Callback("POST", payment.callback_url, fields)

    def _sale(self, request: Request) -> Reply:
        return self._answer(request, "start", self._start)

    def _confirm(self, request: Request) -> Reply:
        return self._answer(request, "verify", self._verify)

    def _reversal(self, request: Request) -> Reply:
        return self._answer(request, "reverse", self._reverse)

    def _answer(self, request: Request, op: str, work: Callable[[str, Mapping[str, str]], Reply]) -> Reply:
        return soap.answer(request, lambda call: self._called(request, call, op, work))

    def _called(
        self, request: Request, call: soap.Call, op: str, work: Callable[[str, Mapping[str, str]], Reply]
    ) -> Reply:
        space = SPACES[op]
        # The header finds the method here: in quotes, as SOAP 1.1 has it, or bare.
        if OPS.get(call.op) != op or request.headers.get("soapaction", "").strip('"') != f"{space}/{call.op}":
            raise soap.Unreadable("Server did not recognize the value of HTTP Header SOAPAction")
        inside = list(call.element)
        if call.namespace != space or [part.tag for part in inside] != [f"{{{space}}}requestData"]:
            raise soap.Unreadable(f"{call.op} and its requestData are expected in {space}")
        asked = soap.fields(inside[0], space)
        unknown = asked.keys() - NEEDED[call.op] - OPTIONAL.get(call.op, set())
        if unknown:
            raise soap.Unreadable(f"Unexpected elements: {', '.join(sorted(unknown))}")
        if not all(asked.get(name) for name in NEEDED[call.op]):
            return _result(call.op, -113)
        asked |= {name: str(soap.long(asked[name])) for name in LONGS & asked.keys()}
        if asked["LoginAccount"] != PIN:
            return _result(call.op, -126)
        return work(call.op, asked)

    def _start(self, name: str, asked: Mapping[str, str]) -> Reply:
        order, amount, url = asked["OrderId"], int(asked["Amount"]), asked["CallBackUrl"]
        if int(order) <= 0 or not re.match(r"https?://[^/\s]+", url):
            return _result(name, -120)
        if amount < MIN_RIAL:
            return _result(name, -132)
        if self._ledger.by_order(self.slug, TERMINAL, order):
            return _result(name, -112)
        payment = Payment(
            gateway=self.slug,
            id=str(10**14 + secrets.randbelow(9 * 10**14)),
            merchant=TERMINAL,
            order=order,
            amount=amount,
            callback_url=url,
            details={"description": asked.get("AdditionalData", "")},
        )
        self._ledger.open(payment)
        return _result(name, 0, Token=payment.id)

    def _page(self, request: Request) -> Reply:
        payment = self._ledger.by_id(self.slug, request.query.get("Token", ""))
        if payment is None:
            return notice_page("توکن نامعتبر است", "Token not found", status=404)
        if payment.seconds_since("started", self._store.now()) > PAGE_WITHIN_S:
            return notice_page("زمان این پرداخت گذشته است", "This token has expired", status=410)
        return pay_page(self, payment)

    def _verify(self, name: str, asked: Mapping[str, str]) -> Reply:
        found = self._ledger.by_id(self.slug, asked["Token"])
        if found is None:
            return _result(name, -131)
        if found.state in UNCONFIRMED:
            return _result(name, UNCONFIRMED[found.state], Token=found.id)
        with_amount = asked.get("OrderId", found.order), asked.get("Amount", str(found.amount))
        if with_amount != (found.order, str(found.amount)):
            return _result(name, -1540, Token=found.id)
        # Success the second time too: whether the order was served already is the merchant's affair.
        if found.state == book.PAID:
            self._ledger.move(found, book.VERIFIED)
        masked = found.card.masked(6)
        return _result(name, 0, CardNumberMasked=masked, RRN=found.receipt, Token=found.id)

    def _reverse(self, name: str, asked: Mapping[str, str]) -> Reply:
        found = self._ledger.by_id(self.slug, asked["Token"])
        if found is None:
            return _result(name, -131)
        code = 0
        if found.state == book.REVERSED:
            code = -1551
        elif found.state != book.VERIFIED:
            code = -1550
        elif found.seconds_since(book.VERIFIED, self._store.now()) > REVERSE_WITHIN_S:
            code = -1549
        else:
            self._ledger.move(found, book.REVERSED)
        return _result(name, code, Token=found.id)


def _result(name: str, status: int, **more: object) -> Reply:
    blank = BLANKS[OPS[name]]
    values = blank | {"Status": status, "Message": RESULTS.get(status, "خطا")} | more
    inside = "".join(soap.element(child, values[child]) for child in blank)
    whole = f'<{name}Response xmlns="{SPACES[OPS[name]]}"><{name}Result>{inside}</{name}Result></{name}Response>'
    return soap.reply(whole)
