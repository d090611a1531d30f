"""Sadad's gateway (Bank Melli), as in its document v1.10 (1401): payment request, pay page, verify.

Callers mount it under /sadad. `SignData` is triple DES of what is said, so the key never travels. The document knows
no inquiry and no reversal; a lost callback is saved by verifying the token. Its codes are numbers here.
"""

import base64
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import datetime

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.padding import PKCS7

from . import ledger as book
from .bank_page import notice_page, pay_page
from .ledger import Ledger, Payment
from .store import Store, tehran
from .wire import BadBody, Callback, Reply, Request, Route

VERIFY_WITHIN_S = 15 * 60
MERCHANT, TERMINAL, KEY = "000000140212149", "24000615", "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4"
CLOCK = "%m/%d/%Y %I:%M:%S %p"

RESULTS = {
    0: "عملیات با موفقیت انجام شد",
    3: "پذیرنده کارت فعال نیست، لطفا با بخش امور پذیرندگان تماس حاصل فرمائید",
    58: "انجام تراکنش مربوطه توسط پایانه انجام دهنده مجاز نمی‌باشد",
    61: "مبلغ تراکنش از حد مجاز بالاتر است",
    1001: "پارامترهای پرداخت اشتباه است",
    1003: "آی‌پی پذیرنده اشتباه است",
    1011: "درخواست تکراری، شماره سفارش تکراری است",
    1017: "مبلغ درخواستی شما جهت پرداخت از حد مجاز تعریف شده برای این پذیرنده بیشتر است",
    1018: "اشکال در تاریخ و زمان سیستم، لطفا تاریخ و زمان سرور خود را با بانک هماهنگ نمایید",
    1023: "آدرس بازگشت پذیرنده نامعتبر است",
    1025: "امضای تراکنش نامعتبر است",
    1026: "شماره سفارش تراکنش نامعتبر است",
    1027: "شماره پذیرنده نامعتبر است",
    1028: "شماره ترمینال پذیرنده نامعتبر است",
    1101: "مبلغ تراکنش نامعتبر است",
}
VERIFY_RESULTS = {
    0: "نتیجه تراکنش موفق است",
    -1: "پارامترهای ارسالی صحیح نیست و یا تراکنش در سیستم وجود ندارد",
    100: "اطلاعات تراکنش قبلا ثبت شده است",
    101: "مهلت ارسال تراکنش به پایان رسیده است",
}
# What the switch says to the customer's bank answer; the document leaves it to the ISO 8583 table.
SWITCH = {book.CANCELLED: "17", book.FAILED: "51"}


class Sadad:
    slug = "sadad"
    name_fa, name_en = "درگاه آزمایشی سداد", "Pretend Sadad gateway"
    give_back_after = VERIFY_WITHIN_S

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store, self._ledger = store, ledger

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/sadad/api/v0/Request/PaymentRequest", self._start, "sadad", "start"),
            Route("GET", "/sadad/Purchase", self._page, "sadad", "browser"),
            Route("POST", "/sadad/api/v0/Advice/Verify", self._verify, "sadad", "verify"),
        ]

    def refuse(self, op: str, code: int) -> Reply:
        return _no_token(code) if op == "start" else _result(code, None, {})

    def new_receipt(self) -> str:
        return secrets.choice("123456789") + "".join(secrets.choice("0123456789") for _ in range(11))

    def callback(self, payment: Payment) -> Callback:
        """Every field of the document's callback table, card included, as the real one sends unasked."""
        met_card = payment.receipt is not None or payment.state == book.FAILED
        fields = {
            "OrderId": payment.order,
            "Token": payment.id,
            "ResCode": "0" if payment.receipt else "-1",
            "SwitchResCode": SWITCH.get(payment.state, "00"),
            "HashedCardNo": payment.card.hashed.upper() if met_card else "",
            "PrimaryAccNo": payment.card.masked(6) if met_card else "",
            "CardHolderFullName": payment.card.holder if met_card else "",
        }
        return Callback("POST", payment.callback_url, fields)

    def _start(self, request: Request) -> Reply:
        asked = _asked(request)
        if isinstance(asked, Reply):
            return asked
        code = _what_is_wrong(asked)
        if code:
            return _no_token(code)
        order = str(asked["OrderId"])
        if self._ledger.by_order(self.slug, TERMINAL, order):
            return _no_token(1011)
        payment = Payment(
            gateway=self.slug,
            id=secrets.token_hex(16).upper(),
            merchant=TERMINAL,
            order=order,
            amount=int(str(asked["Amount"])),
            callback_url=str(asked["ReturnUrl"]),
        )
        self._ledger.open(payment)
        return Reply.of({"ResCode": 0, "Token": payment.id, "Description": RESULTS[0]})

    def _page(self, request: Request) -> Reply:
        if not request.headers.get("referer"):
            # The real one lets in only browsers that come from the merchant's registered address.
            return notice_page("دامنه پذیرنده نامعتبر است", "Unknown domain: the browser sent no Referer", status=403)
        payment = self._ledger.by_id(self.slug, request.query.get("Token", ""))
        if payment is None:
            return notice_page("توکن نامعتبر است", "Token not found", status=404)
        return pay_page(self, payment)

    def _verify(self, request: Request) -> Reply:
        asked = _asked(request)
        if isinstance(asked, Reply):
            return asked
        token = str(asked.get("Token", ""))
        found = self._ledger.by_id(self.slug, token)
        if found is None or not _signed(asked, token):
            return _result(-1, None, {})
        if found.state == book.REVERSED:
            return _result(101, None, {})
        if found.state == book.PAID:
            self._ledger.move(found, book.VERIFIED)
            return _result(0, found, request.twist)
        return _result(100, found, request.twist) if found.state == book.VERIFIED else _result(-1, None, {})


def sign(text: str) -> str:
    """Base64 of triple DES in ECB mode with PKCS7 padding, as the document has it."""
    padder = PKCS7(64).padder()
    padded = padder.update(text.encode()) + padder.finalize()
    cipher = Cipher(TripleDES(base64.b64decode(KEY)), modes.ECB()).encryptor()  # noqa: S305 - the document's choice
    return base64.b64encode(cipher.update(padded) + cipher.finalize()).decode()


def _signed(asked: Mapping[str, object], text: str) -> bool:
    return hmac.compare_digest(sign(text).encode(), str(asked.get("SignData", "")).encode())


def _asked(request: Request) -> dict[str, object] | Reply:
    if request.content_type != "application/json":
        return Reply.of({"Message": "The request entity's media type is not supported."}, 415)
    try:
        return request.json()
    except BadBody:
        return Reply.of({"Message": "The request is invalid."}, 400)


def _what_is_wrong(asked: Mapping[str, object]) -> int:
    """The document's code for the first field that breaks its table; 0 when none does."""
    amount, order = asked.get("Amount"), asked.get("OrderId")
    checks = {
        1027: asked.get("MerchantId") == MERCHANT,
        1028: asked.get("TerminalId") == TERMINAL,
        1101: not isinstance(amount, bool) and re.fullmatch(r"[1-9][0-9]{0,14}", str(amount)),
        1026: not isinstance(order, bool) and re.fullmatch(r"[1-9][0-9]{0,18}", str(order)),
        1023: re.match(r"https?://[^/\s]+", str(asked.get("ReturnUrl"))),
        # The real one compares it with its own clock. Ours can be moved on, so a time that can be read is enough.
        1018: _is_time(str(asked.get("LocalDateTime"))),
        1025: _signed(asked, f"{TERMINAL};{order};{amount}"),
    }
    return next((code for code, holds in checks.items() if not holds), 0)


def _is_time(text: str) -> bool:
    try:
        datetime.strptime(text, CLOCK)
    except ValueError:
        return False
    return True


def _no_token(code: int) -> Reply:
    return Reply.of({"ResCode": code, "Token": None, "Description": RESULTS.get(code, "خطا")})


def _result(code: int, payment: Payment | None, twist: Mapping[str, object]) -> Reply:
    """`RetrivalRefNo` is the document's own spelling."""
    return Reply.of(
        {
            "ResCode": code,
            "Amount": twist.get("amount", payment.amount) if payment else None,
            "Description": VERIFY_RESULTS.get(code, "خطا"),
            "RetrivalRefNo": payment.receipt if payment else None,
            "SystemTraceNo": payment.trace if payment else None,
            "OrderId": int(payment.order) if payment else None,
            "TransactionDate": tehran(payment.times[book.PAID]).replace(" ", "T") if payment else None,
            "CardHolderFullName": payment.card.holder if payment else None,
        }
    )
