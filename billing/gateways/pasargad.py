"""Pasargad (PEP), by its "IPG REST" v9.0 (1403/05/24). Amounts in Rials; the receipt is referenceNumber.

The inquiry names the amount before anything is taken; confirm then takes it, and nothing gives it back afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from . import Account, Attempt, GatewayError, Kind, Outcome, Returned, Start
from .wire import TEHRAN, digits, fitting, post_json, tehran_time, whole

URL_ID = r"[A-Za-z0-9_-]{8,128}"
PURCHASE = "8"  # serviceCode

CODES: dict[str, Any] = {
    "0": _("Confirmed"),
    "401": _("The bank does not know our account"),
    "500": _("The bank had an error of its own"),
    "13003": _("This order number was used before"),
    "13015": _("The bank asks to try again later"),
    "13016": _("The bank knows no such transaction"),
    "13022": _("The payment did not succeed"),
    "13028": _("The return address is not on the registered domain"),
    "13029": _("Confirmed before"),
    "13030": _("The payment did not succeed"),
    "13031": _("Paid, waiting to be confirmed"),
    "13033": _("The money was given back"),
    "13045": _("The payer cancelled"),
    "13046": _("Transferred before"),
    "13055": _("The bank found the amount invalid"),
    "13075": _("The time to confirm the payment is over"),
    "13076": _("The time to give the payment back is over"),
    "success": _("Paid, waiting to be confirmed"),
    "failed": _("The payment did not succeed"),
    "unknown": _("The bank does not know yet what became of the payment"),
}
# All that is read of an answer. maskedCardNumber, hashedCardNumber and cardNumber stand beside these.
KEEP = frozenset(("resultCode", "token", "data", "urlId", "url", "status", "amount", "referenceNumber", "trackId"))
KEEP |= {"requestDate", "invoice"}
MISCONFIGURED = {"401", "13028"}
CONFIRMED_BEFORE = {"13029", "13046"}
KINDS = dict.fromkeys(("13016", "13022", "13030", "13045"), Kind.NOT_PAID)
KINDS |= {"13033": Kind.GIVEN_BACK, "13075": Kind.TOO_LATE, "401": Kind.MISCONFIGURED, "13028": Kind.MISCONFIGURED}


@dataclass(frozen=True, repr=False)
class Adapter(Account):
    username: str
    password: str
    terminal_number: str

    slug: ClassVar[str] = "pasargad"
    name: ClassVar[Any] = _("Pasargad")
    returns_by: ClassVar[str] = "GET"
    min_rial: ClassVar[int] = 10_000
    max_rial: ClassVar[int] = 2_000_000_000
    expires_in: ClassVar[timedelta] = timedelta(minutes=30)
    verify_within: ClassVar[timedelta] = timedelta(minutes=10)  # the document also says 25; the shorter one is safe
    reverses_within: ClassVar[timedelta | None] = None
    verifies_by_token: ClassVar[bool] = True
    settles: ClassVar[bool] = False
    codes: ClassVar[Mapping[str, Any]] = CODES

    def ask_token(self, *, amount: int, order_number: int, callback_url: str, description: str) -> str:
        # mobileNumber, payerMail, payerName, nationalCode and pans are optional and stay unsent.
        code, data = self._call(
            "payment/purchase",
            self._bearer(),
            invoice=str(order_number),
            invoiceDate=f"{datetime.now(TEHRAN):%Y-%m-%d}",
            amount=amount,
            callbackApi=callback_url,
            serviceCode=PURCHASE,
            serviceType="PURCHASE",
            terminalNumber=int(self.terminal_number),
            description=description,
        )
        token = fitting(data.get("urlId"), URL_ID)
        if code == "0" and token:
            # The browser goes where we expect the bank's page to be, and nowhere else.
            if data.get("url") == self.leave(token).url:
                return token
            code = "not-understood"
        raise GatewayError(Kind.MISCONFIGURED if code in MISCONFIGURED else Kind.REFUSED, code)

    def leave(self, token: str) -> Start:
        return Start("GET", f"{self.browser_url}/{token}", {})

    def pick(self, params: Mapping[str, str]) -> Returned:
        status = fitting(params.get("status"), r"success|failed|unknown")
        return Returned(
            ok=status in ("success", "unknown"),  # the bank itself may not know yet: verify then asks
            code=status,
            order_number=digits(params.get("invoiceId"), 18),
        )

    def matches(self, returned: Returned, attempt: Attempt) -> bool:
        return returned.order_number == str(attempt.order_number)

    def verify(self, attempt: Attempt) -> Outcome:
        try:
            bearer = self._bearer()
            seen = self._inquiry(attempt, bearer)
            if seen.code != "13031":  # waiting to be confirmed
                return seen
            confirm = {"invoice": str(attempt.order_number), "urlId": attempt.token}
            code, data = self._call("payment/confirm-transactions", bearer, **confirm)
        except GatewayError as error:
            return Outcome(error.kind, error.code)
        if code == "0" or code in CONFIRMED_BEFORE:
            return self._confirmed(data, code, Kind.PAID if code == "0" else Kind.ALREADY, attempt)
        return Outcome(KINDS.get(code, Kind.NO_ANSWER), code)

    def inquire(self, attempt: Attempt) -> Outcome | None:
        try:
            return self._inquiry(attempt, self._bearer())
        except GatewayError as error:
            return Outcome(error.kind, error.code)

    def _inquiry(self, attempt: Attempt, bearer: str) -> Outcome:
        code, data = self._call("payment/payment-inquiry", bearer, invoiceId=str(attempt.order_number))
        status = whole(data.get("status"))
        code = str(status) if str(status) in CODES else code
        if code in CONFIRMED_BEFORE or code == "13031":
            return self._confirmed(data, code, Kind.PAID if code == "13031" else Kind.ALREADY, attempt)
        return Outcome(KINDS.get(code, Kind.NO_ANSWER), code)

    def _confirmed(self, data: Mapping[str, Any], code: str, kind: Kind, attempt: Attempt) -> Outcome:
        """What the bank says of money that it holds for us, or has given us."""
        taken, receipt = whole(data.get("amount")), digits(data.get("referenceNumber"), 64)
        if taken is None or not receipt:
            return Outcome(Kind.NO_ANSWER, code)
        trace, at = digits(data.get("trackId")), tehran_time(data.get("requestDate"))
        if taken != attempt.amount:
            # Seen before anything is taken, it stays untaken.
            return Outcome(Kind.MISMATCH, "other-amount", receipt, trace, at, None if code == "13031" else taken)
        return Outcome(kind, code, receipt, trace, at)

    def _bearer(self) -> str:
        """A token for ten minutes, asked for anew each time and kept nowhere."""
        status, answer = post_json(
            f"{self.api_url}/token/getToken", {"username": self.username, "password": self.password}, keep=KEEP
        )
        token = fitting(answer.get("token"), r"[A-Za-z0-9._=-]{1,4096}")
        if not token:
            code = whole(answer.get("resultCode"))
            raise GatewayError(Kind.MISCONFIGURED, "401" if status in (401, 403) or code is None else str(code))
        return token

    def _call(self, path: str, bearer: str, **fields: object) -> tuple[str, dict[str, Any]]:
        """The result code and `data`."""
        headers = {"Authorization": f"Bearer {bearer}"}
        status, answer = post_json(f"{self.api_url}/api/{path}", fields, keep=KEEP, headers=headers)
        code, data = whole(answer.get("resultCode")), answer.get("data")
        if status == 401:
            return "401", {}
        if code is None:
            raise GatewayError(Kind.NO_ANSWER, "not-understood")
        return str(code), data if isinstance(data, dict) else {}
