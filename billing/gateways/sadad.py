"""Sadad (Melli), by its document v1.10 (1401). Amounts in Rials; the receipt is RetrivalRefNo.

The document wants its second number, SystemTraceNo, kept and shown beside it. It has no call to give money back.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.padding import PKCS7
from django.utils.translation import gettext_lazy as _

from . import Account, Attempt, GatewayError, Kind, Outcome, Returned, Start
from .wire import TEHRAN, digits, fitting, post_json, tehran_time, whole

TOKEN = r"[A-Za-z0-9+/=_-]{1,128}"  # noqa: S105 - a form, not a secret

CODES: dict[str, Any] = {
    "0": _("Confirmed"),
    "100": _("Confirmed before"),
    "-1": _("The payment did not succeed"),
    "101": _("The time to confirm the payment is over"),
    "3": _("Our account at the bank is not active"),
    "23": _("The bank does not know our account"),
    "58": _("This terminal may not do that"),
    "61": _("The amount is above the bank's limit"),
    "1002": _("The bank had an error of its own"),
    "1003": _("Our server's address is not registered at the bank"),
    "1004": _("The bank does not know our account"),
    "1005": _("The bank asks to try again later"),
    "1006": _("The bank had an error of its own"),
    "1011": _("This order number was used before"),
    "1012": _("Our account's details or key are wrong"),
    "1015": _("The bank switch gave an unknown answer"),
    "1017": _("The amount is above the bank's limit"),
    "1018": _("Our server's clock is wrong"),
    "1019": _("This account may not take such payments"),
    "1020": _("Our account at the bank is not active"),
    "1023": _("The return address is not on the registered domain"),
    "1025": _("Our signature is wrong"),
    "1027": _("The bank does not know our account"),
    "1028": _("The bank does not know our terminal"),
    "1029": _("Our server's address is not registered at the bank"),
    "1030": _("The return address is not on the registered domain"),
    "1031": _("The payer's time ran out"),
    "1033": _("Our account at the bank is not active"),
    "1037": _("The bank does not know our account"),
    "1101": _("The bank found the amount invalid"),
    "1103": _("The bank does not know this payment"),
    "1105": _("The time ran out, and the money was given back"),
}
# All that is read of an answer. CardHolderFullName stands beside these.
KEEP = frozenset(("ResCode", "Token", "Amount", "OrderId", "RetrivalRefNo", "SystemTraceNo", "TransactionDate"))
MISCONFIGURED = {"3", "23", "1003", "1004", "1012", "1018", "1020", "1023", "1025", "1027", "1028", "1029"}
MISCONFIGURED |= {"1030", "1033", "1037"}


@dataclass(frozen=True, repr=False)
class Adapter(Account):
    merchant_id: str
    terminal_id: str
    terminal_key: str  # base64 of 24 bytes

    slug: ClassVar[str] = "sadad"
    name: ClassVar[Any] = _("Sadad (Melli bank)")
    returns_by: ClassVar[str] = "POST"
    min_rial: ClassVar[int] = 10_000
    max_rial: ClassVar[int] = 2_000_000_000
    expires_in: ClassVar[timedelta] = timedelta(minutes=30)
    verify_within: ClassVar[timedelta] = timedelta(minutes=15)
    reverses_within: ClassVar[timedelta | None] = None
    verifies_by_token: ClassVar[bool] = True
    settles: ClassVar[bool] = False
    codes: ClassVar[Mapping[str, Any]] = CODES

    def __post_init__(self) -> None:
        try:
            right = len(base64.b64decode(self.terminal_key, validate=True)) == 24
        except ValueError:
            right = False
        if not right:
            raise ValueError("SADAD_TERMINAL_KEY must be base64 of 24 bytes")

    def ask_token(self, *, amount: int, order_number: int, callback_url: str, description: str) -> str:
        # UserId, the payer's mobile, is optional and stays unsent.
        now = datetime.now(TEHRAN)
        code, answer = self._call(
            "Request/PaymentRequest",
            MerchantId=self.merchant_id,
            TerminalId=self.terminal_id,
            Amount=amount,
            OrderId=order_number,
            LocalDateTime=f"{now.month}/{now.day}/{now.year} {now.hour % 12 or 12}:{now:%M:%S} {now:%p}",
            ReturnUrl=callback_url,
            SignData=self._signed(f"{self.terminal_id};{order_number};{amount}"),
        )
        token = fitting(answer.get("Token"), TOKEN)
        if code == "0" and token:
            return token
        raise GatewayError(Kind.MISCONFIGURED if code in MISCONFIGURED else Kind.REFUSED, code)

    def leave(self, token: str) -> Start:
        return Start("GET", f"{self.browser_url}/Purchase?{urlencode({'Token': token})}", {})

    def pick(self, params: Mapping[str, str]) -> Returned:
        code = fitting(params.get("ResCode"), r"-?[0-9]{1,6}")
        return Returned(
            ok=code == "0",
            code=code,
            order_number=digits(params.get("OrderId"), 18),
            token=fitting(params.get("Token") or params.get("token"), TOKEN),
        )

    def matches(self, returned: Returned, attempt: Attempt) -> bool:
        return returned.order_number == str(attempt.order_number) and returned.token == attempt.token

    def verify(self, attempt: Attempt) -> Outcome:
        try:
            code, answer = self._call("Advice/Verify", Token=attempt.token, SignData=self._signed(attempt.token))
        except GatewayError as error:
            return Outcome(error.kind, error.code)
        if code in ("0", "100"):
            return self._confirmed(answer, code, attempt)
        if code in MISCONFIGURED:
            return Outcome(Kind.MISCONFIGURED, code)
        kinds = {"-1": Kind.NOT_PAID, "101": Kind.TOO_LATE, "1105": Kind.GIVEN_BACK}
        return Outcome(kinds.get(code, Kind.NO_ANSWER), code)

    def _confirmed(self, answer: Mapping[str, Any], code: str, attempt: Attempt) -> Outcome:
        taken, order, receipt = whole(answer.get("Amount")), whole(answer.get("OrderId")), answer.get("RetrivalRefNo")
        if taken is None or order is None or not digits(receipt):
            return Outcome(Kind.NO_ANSWER, code)
        if order != attempt.order_number:
            return Outcome(Kind.MISMATCH, code)
        trace, at = digits(answer.get("SystemTraceNo")), tehran_time(answer.get("TransactionDate"))
        if taken != attempt.amount:
            return Outcome(Kind.MISMATCH, "other-amount", digits(receipt), trace, at, taken)
        return Outcome(Kind.PAID if code == "0" else Kind.ALREADY, code, digits(receipt), trace, at)

    def _call(self, path: str, **fields: object) -> tuple[str, dict[str, Any]]:
        """The result code and the answer."""
        _status, answer = post_json(f"{self.api_url}/api/v0/{path}", fields, keep=KEEP)
        number = whole(answer.get("ResCode"))
        if number is None:
            raise GatewayError(Kind.NO_ANSWER, "not-understood")
        return str(number), answer

    def _signed(self, text: str) -> str:
        """The document's SignData: 3DES, ECB, PKCS #7, in base64."""
        padder = PKCS7(64).padder()
        padded = padder.update(text.encode()) + padder.finalize()
        cipher = Cipher(TripleDES(base64.b64decode(self.terminal_key)), modes.ECB()).encryptor()  # noqa: S305
        return base64.b64encode(cipher.update(padded) + cipher.finalize()).decode()
