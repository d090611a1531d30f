"""Plain HTTP and SMTP calls as a merchant would make them, by urllib and smtplib."""

import json
import smtplib
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

CALLBACK = "http://127.0.0.1:8000/pay/callback/sep/abc/"
MERCHANT = "6c1f0a4e-1111-4222-8333-444455556666"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
MELLAT = "http://interfaces.core.sw.bps.com/"
PARSIAN = "https://pec.Shaparak.ir/NewIPGServices"
# Address and namespace of each operation, under NewIPGServices.
PARSIAN_SERVICES = {
    "SalePaymentRequest": ("Sale/SaleService.asmx", "Sale/SaleService"),
    "ConfirmPaymentWithAmount": ("Confirm/ConfirmService.asmx", "Confirm/ConfirmService"),
    "ConfirmPayment": ("Confirm/ConfirmService.asmx", "Confirm/ConfirmService"),
    "ReversalRequest": ("Reverse/ReversalService.asmx", "Reversal/ReversalService"),
}


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

    @property
    def soap(self) -> ET.Element:
        """What the Body holds."""
        body = ET.fromstring(self.text).find(f"{{{SOAP}}}Body")  # noqa: S314 - our own world's
        assert body is not None
        return body[0]


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

    def pasargad(self, what: str, token: str, **fields: object) -> Answer:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        return self.call("POST", f"/pasargad/api/payment/{what}", json.dumps(fields).encode(), headers=headers)

    def pasargad_token(self, **change: str) -> Answer:
        asked = {"username": "portal", "password": "pretend-password"}
        return self.post_json("/pasargad/token/getToken", asked | change)

    def zibal(self, what: str, **fields: object) -> Answer:
        return self.post_json(f"/zibal/v1/{what}", {"merchant": "zibal-2015"} | fields)

    def zibal_request(self, amount: object = 12_000, **more: object) -> Answer:
        asked = {"amount": amount, "callbackUrl": CALLBACK, "orderId": "10000021", "description": "فاکتور ۱"}
        return self.zibal("request", **(asked | more))

    def post_soap(
        self, path: str, body: str, action: str, timeout: float = 10, kind: str = "text/xml; charset=utf-8"
    ) -> Answer:
        whole = f'<e:Envelope xmlns:e="{SOAP}"><e:Header/><e:Body>{body}</e:Body></e:Envelope>'
        declared = f'<?xml version="1.0" encoding="utf-8"?>{whole}'.encode()
        return self.call("POST", path, declared, timeout, {"Content-Type": kind, "SOAPAction": action})

    def mellat(self, name: str, timeout: float = 10, **fields: object) -> Answer:
        asked = {"terminalId": 2015, "userName": "portal", "userPassword": "pretend-password"} | fields
        body = f'<b:{name} xmlns:b="{MELLAT}">{elements(asked)}</b:{name}>'
        return self.post_soap("/mellat/pgwchannel/services/pgw", body, '""', timeout)

    def mellat_pay(self, order: object = 10000019, amount: object = 12_000, **more: object) -> Answer:
        asked = {"orderId": order, "amount": amount, "localDate": "20261122", "localTime": "093000"}
        asked |= {"additionalData": "فاکتور ۱", "callBackUrl": CALLBACK, "payerId": "0"}
        return self.mellat("bpPayRequest", **asked | more)

    def parsian(self, name: str, timeout: float = 10, **fields: object) -> Answer:
        path, space = PARSIAN_SERVICES[name]
        inside = elements({"LoginAccount": "pretend-pin-2015"} | fields)
        body = f'<{name} xmlns="{PARSIAN}/{space}"><requestData>{inside}</requestData></{name}>'
        return self.post_soap(f"/parsian/NewIPGServices/{path}", body, f"{PARSIAN}/{space}/{name}", timeout)

    def parsian_sale(self, order: object = 10000020, amount: object = 12_000, **more: object) -> Answer:
        asked = {"OrderId": order, "Amount": amount, "CallBackUrl": CALLBACK, "AdditionalData": "", "Originator": ""}
        return self.parsian("SalePaymentRequest", **asked | more)

    def kavenegar(self, method: str, key: str = "test-key", **fields: Any) -> Answer:
        return self.post_form(f"/kavenegar/v1/{key}/{method}.json", fields)


def elements(fields: dict[str, object]) -> str:
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items())


def send_letter(port: int, to: str = "alice@example.org", timeout: float = 5) -> None:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "Yaghout <no-reply@portal.example>", to, "فاکتور شما آماده است"
    letter["Message-ID"] = "<1@portal.example>"
    letter.set_content("ببینید: http://127.0.0.1:8000/invoices/1/?a=1&b=2 .")
    letter.add_alternative('<p dir="rtl">سلام <a href="http://127.0.0.1:8000/">پرتال</a></p>', subtype="html")
    letter.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="invoice.pdf")
    with smtplib.SMTP("127.0.0.1", port, timeout=timeout) as server:
        server.send_message(letter)
