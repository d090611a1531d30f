"""Plain HTTP and SMTP calls as a merchant would make them, by urllib and smtplib."""

import json
import smtplib
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode

CALLBACK = "http://127.0.0.1:8000/pay/callback/sep/abc/"
MERCHANT = "6c1f0a4e-1111-4222-8333-444455556666"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Wire:
    def __init__(self, url: str) -> None:
        self.url = url
        self._open = urllib.request.build_opener(_Stay).open

    def call(
        self, method: str, path: str, body: bytes | None = None, timeout: float = 10, headers: Any = None
    ) -> Answer:
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=headers or {})
        try:
            with self._open(request, timeout=timeout) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read().decode())

    def post_json(self, path: str, value: object, timeout: float = 10) -> Answer:
        return self.call("POST", path, json.dumps(value).encode(), timeout, {"Content-Type": "application/json"})

    def post_form(self, path: str, fields: dict[str, Any], **headers: str) -> Answer:
        kind = "application/x-www-form-urlencoded"
        return self.call("POST", path, urlencode(fields).encode(), headers={"Content-Type": kind} | headers)

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, headers=headers)

    def sep_token(self, order: str = "10000017", amount: int = 12_000, **more: object) -> Answer:
        asked = {"action": "token", "TerminalId": "2015", "Amount": amount, "ResNum": order, "RedirectUrl": CALLBACK}
        return self.post_json("/sep/onlinepg/onlinepg", asked | more)

    def sep(self, what: str, receipt: str, terminal: int = 2015, timeout: float = 10) -> Answer:
        path = f"/sep/verifyTxnRandomSessionkey/ipg/{what}Transaction"
        return self.post_json(path, {"RefNum": receipt, "TerminalNumber": terminal}, timeout)

    def zarinpal_request(self, amount: object = 12_000, **more: object) -> Answer:
        asked = {"merchant_id": MERCHANT, "amount": amount, "currency": "IRR", "description": "فاکتور ۱"}
        asked |= {"callback_url": CALLBACK, "metadata": {"order_id": "10000018"}}
        return self.post_json("/zarinpal/pg/v4/payment/request.json", asked | more)

    def zarinpal(self, what: str, **more: object) -> Answer:
        return self.post_json(f"/zarinpal/pg/v4/payment/{what}.json", {"merchant_id": MERCHANT} | more)

    def kavenegar(self, method: str, key: str = "test-key", **fields: Any) -> Answer:
        return self.post_form(f"/kavenegar/v1/{key}/{method}.json", fields)


def send_letter(port: int, to: str = "alice@example.org", timeout: float = 5) -> None:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "Yaghout <no-reply@portal.example>", to, "فاکتور شما آماده است"
    letter["Message-ID"] = "<1@portal.example>"
    letter.set_content("ببینید: http://127.0.0.1:8000/invoices/1/?a=1&b=2 .")
    letter.add_alternative('<p dir="rtl">سلام <a href="http://127.0.0.1:8000/">پرتال</a></p>', subtype="html")
    letter.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="invoice.pdf")
    with smtplib.SMTP("127.0.0.1", port, timeout=timeout) as server:
        server.send_message(letter)
