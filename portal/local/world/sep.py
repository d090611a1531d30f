"""Saman's gateway (SEP), as in its "IPG guide" v3.3 (Esfand 1402): token, pay page, verify, reverse.

Callers mount it under /sep. What the guide leaves to the merchant is left here too: a receipt is confirmed again and
again, and nothing in the verify answer says which order it belongs to.
"""

import base64
import re
import secrets
from collections.abc import Mapping

from . import ledger as book
from .bank_page import notice_page, pay_page
from .ledger import Ledger, Payment
from .store import Store, tehran
from .wire import BadBody, Callback, Reply, Request, Route

VERIFY_WITHIN_S = 30 * 60
REVERSE_WITHIN_S = 50 * 60
TOKEN_MINUTES = range(20, 3601)

REQUIRED = {"action", "TerminalId", "Amount", "ResNum", "RedirectUrl"}
RES_NUMS = {"ResNum1", "ResNum2", "ResNum3", "ResNum4"}
OPTIONAL = {"CellNumber", "Wage", "TokenExpiryInMin", "HashedCardNumber"} | RES_NUMS

START_ERRORS = {
    "5": "پارامترهای ارسالی نامعتبر است.",
    "8": "آدرس آی‌پی پذیرنده نامعتبر است.",
    "10": "توکن ارسال شده یافت نشد.",
    "12": "شماره ترمینال ارسال شده یافت نشد.",
}
RESULTS = {
    0: "عملیات با موفقیت انجام شد",
    2: "درخواست تکراری می‌باشد",
    5: "تراکنش برگشت خورده می‌باشد",
    -2: "تراکنش یافت نشد",
    -6: "بیش از نیم ساعت از زمان اجرای تراکنش گذشته است",
    -104: "ترمینال ارسالی غیرفعال می‌باشد",
    -105: "ترمینال ارسالی در سیستم موجود نمی‌باشد",
    -106: "آدرس آی‌پی درخواستی غیرمجاز می‌باشد",
}
# (Status, State) of the callback for what became of the payment at the bank.
STATES = {
    book.CANCELLED: ("1", "CanceledByUser"),
    book.FAILED: ("3", "Failed"),
    book.PAID: ("2", "OK"),
}


class Sep:
    slug = "sep"
    name_fa, name_en = "درگاه آزمایشی سامان", "Pretend Saman gateway"
    give_back_after = VERIFY_WITHIN_S

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store, self._ledger = store, ledger

    def routes(self) -> list[Route]:
        ipg = "/sep/verifyTxnRandomSessionkey/ipg"
        return [
            Route("POST", "/sep/onlinepg/onlinepg", self._start, "sep", "start"),
            Route("POST", "/sep/OnlinePG/OnlinePG", self._page_by_form, "sep", "browser"),
            Route("GET", "/sep/OnlinePG/SendToken", self._page_by_link, "sep", "browser"),
            Route("POST", f"{ipg}/VerifyTransaction", self._verify, "sep", "verify"),
            Route("POST", f"{ipg}/ReverseTransaction", self._reverse, "sep", "reverse"),
        ]

    def refuse(self, op: str, code: int) -> Reply:
        return _no_token(str(code)) if op == "start" else _result(code, None)

    def new_receipt(self) -> str:
        return base64.b64encode(secrets.token_bytes(30)).decode()

    def callback(self, payment: Payment) -> Callback:
        """Every field of the guide's callback table, card included, as the real one sends unasked."""
        status, state = STATES.get(payment.state, STATES[book.PAID])
        paid = payment.receipt is not None
        met_card = paid or payment.state == book.FAILED
        fields = {
            "MID": payment.merchant,
            "TerminalId": payment.merchant,
            "State": state,
            "Status": status,
            "RRN": payment.rrn,
            "RefNum": payment.receipt or "",
            "ResNum": payment.order,
            "TraceNo": payment.trace,
            "Amount": str(payment.amount),
            "AffectiveAmount": str(payment.amount) if paid else "",
            "Wage": "",
            "Token": payment.id,
            "SecurePan": payment.card.masked(6) if met_card else "",
            "HashedCardNumber": payment.card.hashed if met_card else "",
        }
        fields |= {name: payment.details[name] for name in sorted(RES_NUMS) if name in payment.details}
        return Callback("GET" if payment.details.get("get_method") else "POST", payment.callback_url, fields)

    def _start(self, request: Request) -> Reply:
        if request.content_type != "application/json":
            return Reply.of({"Message": "The request entity's media type is not supported."}, 415)
        try:
            asked = request.json()
        except BadBody:
            return _no_token("5")
        wrong = _what_is_wrong(asked)
        if wrong:
            return _no_token("5", wrong)
        terminal, order = str(asked["TerminalId"]), str(asked["ResNum"])
        if self._ledger.by_order(self.slug, terminal, order):
            return _no_token("5", "ResNum was used before on this terminal")
        payment = Payment(
            gateway=self.slug,
            id=secrets.token_hex(16),
            merchant=terminal,
            order=order,
            amount=int(str(asked["Amount"])),
            callback_url=str(asked["RedirectUrl"]),
            details={name: str(asked[name]) for name in RES_NUMS & asked.keys()},
        )
        payment.details["minutes"] = str(asked.get("TokenExpiryInMin", TOKEN_MINUTES[0]))
        self._ledger.open(payment)
        return Reply.of({"status": 1, "token": payment.id})

    def _page_by_form(self, request: Request) -> Reply:
        form = request.form()
        return self._page(request, form.get("Token", ""), form.get("GetMethod", ""))

    def _page_by_link(self, request: Request) -> Reply:
        return self._page(request, request.query.get("token", ""), "")

    def _page(self, request: Request, token: str, get_method: str) -> Reply:
        if not request.headers.get("referer"):
            # The real one knows its merchants by this header, and says "terminal not allowed" without it.
            return notice_page("پایانه مجاز نیست", "Terminal not allowed: the browser sent no Referer", status=403)
        payment = self._ledger.by_id(self.slug, token)
        if payment is None:
            return notice_page("توکن یافت نشد", "Token not found", status=404)
        if payment.seconds_since("started", self._store.now()) > int(payment.details["minutes"]) * 60:
            return notice_page("زمان این پرداخت گذشته است", "This token has expired", status=410)
        payment.details["get_method"] = "yes" if get_method.lower() == "true" else ""
        self._ledger.save(payment)
        return pay_page(self, payment)

    def _verify(self, request: Request) -> Reply:
        found = self._transaction(request)
        if isinstance(found, Reply):
            return found
        if found.seconds_since(book.PAID, self._store.now()) > VERIFY_WITHIN_S:
            return _result(-6, None)
        if found.state == book.REVERSED:
            return _result(5, None)
        code = 0
        if found.state == book.PAID:
            self._ledger.move(found, book.VERIFIED)
        else:
            code = 2
        return _result(code, _detail(found, request.twist))

    def _reverse(self, request: Request) -> Reply:
        found = self._transaction(request)
        if isinstance(found, Reply):
            return found
        if found.state == book.REVERSED:
            return _result(5, None)
        if found.state != book.VERIFIED:
            return _result(-2, None)
        if found.seconds_since(book.PAID, self._store.now()) > REVERSE_WITHIN_S:
            return _result(-6, None)
        self._ledger.move(found, book.REVERSED)
        return _result(0, _detail(found, request.twist))

    def _transaction(self, request: Request) -> Payment | Reply:
        if request.content_type != "application/json":
            return Reply.of({"Message": "The request entity's media type is not supported."}, 415)
        try:
            asked = request.json()
        except BadBody:
            return Reply.of({"Message": "The request is invalid."}, 400)
        terminal = asked.get("TerminalNumber")
        # A part of the amount can be named nowhere: the guide knows the whole amount only.
        if set(asked) != {"RefNum", "TerminalNumber"} or isinstance(terminal, bool):
            return Reply.of({"Message": "The request is invalid."}, 400)
        found = self._ledger.by_receipt(self.slug, str(asked["RefNum"]))
        if found is None:
            return _result(-2, None)
        if str(terminal) != found.merchant:
            return _result(-105, None)
        return found


def _what_is_wrong(asked: Mapping[str, object]) -> str:
    """Empty when the guide's table of the token request is kept."""
    missing, unknown = REQUIRED - asked.keys(), asked.keys() - REQUIRED - OPTIONAL
    if missing or unknown:
        return f"missing {sorted(missing)}, unknown {sorted(unknown)}"
    amount, minutes = asked["Amount"], asked.get("TokenExpiryInMin", TOKEN_MINUTES[0])
    url = str(asked["RedirectUrl"])
    checks = {
        "action": asked["action"] == "token",
        "TerminalId": re.fullmatch(r"[1-9][0-9]{0,14}", str(asked["TerminalId"])),
        "Amount": not isinstance(amount, bool) and re.fullmatch(r"[1-9][0-9]{0,14}", str(amount)),
        "ResNum": isinstance(asked["ResNum"], str) and 0 < len(asked["ResNum"]) <= 50,
        "RedirectUrl": re.match(r"https?://[^/\s]+", url) and len(url) <= 2083,
        "TokenExpiryInMin": re.fullmatch(r"[0-9]+", str(minutes)) and int(str(minutes)) in TOKEN_MINUTES,
        "ResNum1-4": all(len(str(asked.get(name, ""))) <= 50 for name in RES_NUMS),
    }
    return ", ".join(name for name, holds in checks.items() if not holds)


def _no_token(code: str, more: str = "") -> Reply:
    text = START_ERRORS.get(code, "خطا")
    return Reply.of({"status": -1, "errorCode": code, "errorDesc": f"{text} ({more})" if more else text})


def _detail(payment: Payment, twist: Mapping[str, object]) -> dict[str, object]:
    """`Orginal` and `Strace` are the guide's own spelling."""
    amount = twist.get("amount", payment.amount)
    return {
        "RRN": payment.rrn,
        "RefNum": payment.receipt,
        "MaskedPan": payment.card.masked(4),
        "HashedPan": payment.card.hashed,
        "TerminalNumber": int(payment.merchant),
        "OrginalAmount": amount,
        "AffectiveAmount": amount,
        "StraceDate": tehran(payment.times[book.PAID]),
        "StraceNo": payment.trace,
    }


def _result(code: int, detail: Mapping[str, object] | None) -> Reply:
    return Reply.of(
        {
            "TransactionDetail": detail,
            "ResultCode": code,
            "ResultDescription": RESULTS.get(code, "خطا"),
            "Success": code in (0, 2),
        }
    )
