"""Behpardakht Mellat's gateway, as in its guide v1.29 (Tir 1402), SOAP 1.1: from pay and verify to settle and refund.

Callers mount it under /mellat. All operations come to one address, and each answers one code and never an amount:
RefId and order number tie the money to the order. The guide also ends reversal with the day of the sale, which is left
out here, and takes no IP address in callBackUrl, which a desk has to. How long a RefId is good for it does not say.
"""

import re
import secrets
import string
from collections.abc import Callable, Mapping

from . import ledger as book
from . import soap
from .bank_page import notice_page, pay_page
from .ledger import Ledger, Payment
from .store import Store
from .wire import Callback, Reply, Request, Route

NAMESPACE = "http://interfaces.core.sw.bps.com/"
TERMINAL, USER, PASSWORD = "2015", "portal", "pretend-password"
PAGE_WITHIN_S = 15 * 60
VERIFY_WITHIN_S = 20 * 60
REVERSE_WITHIN_S = 3 * 3600

OPS = {
    "bpPayRequest": "start",
    "bpVerifyRequest": "verify",
    "bpSettleRequest": "settle",
    "bpInquiryRequest": "inquiry",
    "bpReversalRequest": "reverse",
    "bpRefundRequest": "refund",
}
NAMES = {op: name for name, op in OPS.items()}
ACCOUNT = ["terminalId", "userName", "userPassword"]
SALE = [*ACCOUNT, "orderId", "saleOrderId", "saleReferenceId"]
ORDER = [*ACCOUNT, "orderId", "amount", "localDate", "localTime", "additionalData", "callBackUrl", "payerId"]
CHILDREN = dict.fromkeys(OPS, SALE) | {"bpPayRequest": ORDER, "bpRefundRequest": [*SALE, "refundAmount"]}
LONGS = {"terminalId", "orderId", "saleOrderId", "saleReferenceId", "amount", "refundAmount"}

# Codes of the guide, by what they say.
DONE, NO_FUNDS, CANCELLED = 0, 12, 17
BAD_TERMINAL, BAD_CREDENTIALS, BAD_AMOUNT, BAD_FORMAT, BAD_DATE, ORDER_USED = 21, 24, 25, 32, 35, 41
NO_SALE, VERIFIED, NOT_VERIFIED, SETTLED, NOT_SETTLED, REVERSED = 42, 43, 44, 45, 46, 48
NO_REFERENCE, BAD_TRANSACTION, BAD_CALLBACK, BAD_PAYER = 54, 55, 62, 417

# What each operation says of a sale that it does nothing to; where the state is missing it has work to do.
SAID: dict[str, dict[str, int]] = {
    "verify": {book.VERIFIED: VERIFIED, book.SETTLED: VERIFIED, book.REVERSED: REVERSED},
    "settle": {book.PAID: NOT_VERIFIED, book.SETTLED: SETTLED, book.REVERSED: REVERSED},
    "inquiry": {book.PAID: DONE, book.VERIFIED: VERIFIED, book.SETTLED: SETTLED, book.REVERSED: REVERSED},
    "reverse": {book.PAID: NOT_VERIFIED, book.SETTLED: SETTLED, book.REVERSED: REVERSED},
    "refund": {book.PAID: NOT_VERIFIED, book.VERIFIED: NOT_SETTLED, book.REVERSED: REVERSED},
}


class Mellat:
    slug = "mellat"
    name_fa, name_en = "درگاه آزمایشی به‌پرداخت ملت", "Pretend Behpardakht Mellat gateway"
    give_back_after = VERIFY_WITHIN_S

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store, self._ledger = store, ledger
        self._work: dict[str, Callable[[Payment, Mapping[str, str]], int]] = {
            "verify": self._verify,
            "settle": self._settle,
            "reverse": self._reverse,
            "refund": self._refund,
        }

    def routes(self) -> list[Route]:
        channel = "/mellat/pgwchannel"
        return [
            Route("POST", f"{channel}/services/pgw", self._answer, "mellat", self.op_of),
            Route("POST", f"{channel}/startpay.mellat", self._page, "mellat", "browser"),
        ]

    def op_of(self, request: Request) -> str:
        return soap.op_in(request, OPS)

    def refuse(self, op: str, code: int) -> Reply:
        if op == "browser":
            return notice_page(f"خطای {code}", f"Error {code}", status=403)
        return _return(op, str(code))

    def new_receipt(self) -> str:
        """The SaleReferenceId."""
        return str(10**11 + secrets.randbelow(9 * 10**11))

    def callback(self, payment: Payment) -> Callback:
        """Every field of the guide's callback table, card included, as the real one sends unasked."""
        codes = {book.CANCELLED: CANCELLED, book.FAILED: NO_FUNDS}
        paid = payment.receipt is not None
        met_card = paid or payment.state == book.FAILED
        fields = {
            "RefId": payment.id,
            "ResCode": str(codes.get(payment.state, DONE)),
            "SaleOrderId": payment.order,
            "SaleReferenceId": payment.receipt or "",
            "CardHolderPan": payment.card.masked(6) if met_card else "",
            "CardHolderInfo": payment.card.hashed.upper() if met_card else "",
            "CreditCardSaleResponseDetail": payment.card.holder if met_card else "",
            "FinalAmount": str(payment.amount) if paid else "",
        }
        return Callback("POST", payment.callback_url, fields)

    def _answer(self, request: Request) -> Reply:
        return soap.answer(request, lambda call: self._called(request, call))

    def _called(self, request: Request, call: soap.Call) -> Reply:
        if call.namespace != NAMESPACE or call.op not in OPS:
            raise soap.Unreadable(f"No such operation: {call.element.tag}")
        if request.headers.get("soapaction") != '""':
            raise soap.Unreadable("The given SOAPAction does not match an operation")
        asked = soap.fields(call.element, "")
        if list(asked) != CHILDREN[call.op]:
            raise soap.Unreadable(f"Elements of {call.op} in their order: {', '.join(CHILDREN[call.op])}")
        asked |= {name: str(soap.long(asked[name])) for name in LONGS & asked.keys()}
        op = OPS[call.op]
        if asked["terminalId"] != TERMINAL:
            return _return(op, str(BAD_TERMINAL))
        if (asked["userName"], asked["userPassword"]) != (USER, PASSWORD):
            return _return(op, str(BAD_CREDENTIALS))
        return _return(op, self._start(asked) if op == "start" else str(self._about_sale(op, asked)))

    def _start(self, asked: Mapping[str, str]) -> str:
        wrong = _what_is_wrong(asked)
        if wrong or self._is_used(asked["orderId"]):
            return str(wrong or ORDER_USED)
        payment = Payment(
            gateway=self.slug,
            id="".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(20)),
            merchant=TERMINAL,
            order=asked["orderId"],
            amount=int(asked["amount"]),
            callback_url=asked["callBackUrl"],
            details={"description": asked["additionalData"]},
        )
        self._ledger.open(payment)
        return f"{DONE},{payment.id}"

    def _page(self, request: Request) -> Reply:
        if not request.headers.get("referer"):
            # The real one compares this header with the registered domain.
            return notice_page("پذیرنده مجاز نیست", "Merchant not allowed: the browser sent no Referer", status=403)
        payment = self._ledger.by_id(self.slug, request.form().get("RefId", ""))
        if payment is None:
            return notice_page("این پرداخت یافت نشد", "No such RefId", status=404)
        if payment.seconds_since("started", self._store.now()) > PAGE_WITHIN_S:
            return notice_page("زمان این پرداخت گذشته است", "This RefId has expired", status=410)
        return pay_page(self, payment)

    def _about_sale(self, op: str, asked: Mapping[str, str]) -> int:
        sale = self._ledger.by_order(self.slug, TERMINAL, asked["saleOrderId"])
        if sale is None:
            return NO_SALE
        if sale.receipt != asked["saleReferenceId"]:
            other = self._ledger.by_receipt(self.slug, asked["saleReferenceId"])
            return BAD_TRANSACTION if other else NO_REFERENCE
        # The request's own number may be that of the sale, never that of another one.
        if op != "refund" and asked["orderId"] != sale.order and self._is_used(asked["orderId"]):
            return BAD_TRANSACTION
        said = SAID[op].get(sale.state)
        return self._work[op](sale, asked) if said is None else said

    def _verify(self, sale: Payment, asked: Mapping[str, str]) -> int:
        self._ledger.move(sale, book.VERIFIED)
        return DONE

    def _settle(self, sale: Payment, asked: Mapping[str, str]) -> int:
        self._ledger.move(sale, book.SETTLED)
        return DONE

    def _reverse(self, sale: Payment, asked: Mapping[str, str]) -> int:
        if sale.seconds_since(book.VERIFIED, self._store.now()) > REVERSE_WITHIN_S:
            return BAD_TRANSACTION
        self._ledger.move(sale, book.REVERSED)
        return DONE

    def _refund(self, sale: Payment, asked: Mapping[str, str]) -> int:
        """In parts and more than once, each under a new order number, together never more than the sale."""
        order, amount = asked["orderId"], int(asked["refundAmount"])
        if self._is_used(order):
            return ORDER_USED
        if amount <= 0 or sale.refunded + amount > sale.amount:
            return BAD_AMOUNT
        sale.refunded += amount
        sale.times["refunded"] = self._store.now()
        sale.details[f"refund {order}"] = str(amount)
        self._ledger.save(sale)
        self._store.set_fact(_refund_fact(order), amount)
        return DONE

    def _is_used(self, order: str) -> bool:
        sale = self._ledger.by_order(self.slug, TERMINAL, order)
        return sale is not None or self._store.fact(_refund_fact(order), 0) > 0


def _what_is_wrong(asked: Mapping[str, str]) -> int:
    """The guide's code of the first field that breaks its table, 0 when none does."""
    checks = {
        BAD_FORMAT: int(asked["orderId"]) > 0 and len(asked["additionalData"]) <= 1000,
        BAD_AMOUNT: int(asked["amount"]) > 0,
        BAD_DATE: _is_moment(asked["localDate"], asked["localTime"]),
        BAD_CALLBACK: re.match(r"https?://[^/\s]+", asked["callBackUrl"]),
        BAD_PAYER: re.fullmatch(r"[0-9]{1,30}", asked["payerId"]),
    }
    return next((code for code, holds in checks.items() if not holds), DONE)


def _is_moment(date: str, time: str) -> bool:
    """YYYYMMDD in either calendar and HHMMSS."""
    day = re.fullmatch(r"[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])", date)
    return bool(day and re.fullmatch(r"([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]", time))


def _refund_fact(order: str) -> str:
    return f"mellat refund {order}"


def _return(op: str, value: str) -> Reply:
    name = f"{NAMES[op]}Response"
    return soap.reply(f'<ns1:{name} xmlns:ns1="{NAMESPACE}">{soap.element("return", value)}</ns1:{name}>')
