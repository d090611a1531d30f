"""Zarinpal, by its web API v4 (public web docs and official PHP SDK).

Amounts in Rials, said so by `currency`; the receipt is ref_id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from . import Account, Attempt, GatewayError, Kind, Outcome, Returned, Start
from .wire import digits, fitting, post_json, whole

AUTHORITY = r"[A-Za-z0-9]{20,64}"

CODES: dict[str, Any] = {
    "100": _("Confirmed"),
    "101": _("Confirmed before"),
    "-9": _("The gateway found our request invalid"),
    "-10": _("The gateway does not know our account or server address"),
    "-11": _("Our account at the gateway is not active"),
    "-12": _("Too many requests in a short time"),
    "-13": _("The account's limit at the gateway is reached"),
    "-14": _("The return address is not on the registered domain"),
    "-15": _("Our account at the gateway is suspended"),
    "-16": _("The account's level at the gateway is too low"),
    "-17": _("The account's level at the gateway is too low"),
    "-18": _("The referring address is not the registered one"),
    "-19": _("The account may not take payments"),
    "-41": _("The amount is above the gateway's limit"),
    "-50": _("The paid amount is not the invoice's amount"),
    "-51": _("The payment did not succeed"),
    "-52": _("The gateway had an unexpected error"),
    "-53": _("The payment belongs to another account"),
    "-54": _("The gateway does not know this payment"),
    "-55": _("The gateway does not know this payment"),
    "PAID": _("Paid, waiting to be confirmed"),
    "-60": _("The gateway cannot give this payment back"),
    "-61": _("This payment did not succeed, or was given back before"),
    "-62": _("Our server's address is not registered at the gateway"),
    "-63": _("The time to give the payment back is over"),
    "VERIFIED": _("Confirmed"),
    "IN_BANK": _("The payer is at the bank"),
    "FAILED": _("The payment did not succeed"),
    "REVERSED": _("The money was given back"),
    "NOK": _("The payer cancelled, or the bank refused"),
    "429": _("Too many requests in a short time"),
}
# All that is read of an answer. card_pan and card_hash stand beside these.
KEEP = frozenset(("data", "errors", "code", "authority", "ref_id", "status"))
MISCONFIGURED = {"-9", "-10", "-11", "-12", "-13", "-14", "-15", "-16", "-17", "-18", "-19", "-62", "429"}
NOT_PAID = {"-51", "-53", "-54", "-55"}
STATUSES = {
    "PAID": Kind.PAID,
    "VERIFIED": Kind.PAID,
    "IN_BANK": Kind.PENDING,
    "FAILED": Kind.NOT_PAID,
    "REVERSED": Kind.GIVEN_BACK,
}


@dataclass(frozen=True, repr=False)
class Adapter(Account):
    merchant_id: str

    slug: ClassVar[str] = "zarinpal"
    name: ClassVar[Any] = _("Zarinpal")
    returns_by: ClassVar[str] = "GET"
    min_rial: ClassVar[int] = 10_000
    max_rial: ClassVar[int] = 1_000_000_000
    expires_in: ClassVar[timedelta] = timedelta(minutes=30)
    verify_within: ClassVar[timedelta] = timedelta(minutes=30)
    reverses_within: ClassVar[timedelta | None] = timedelta(minutes=30)
    verifies_by_token: ClassVar[bool] = True
    settles: ClassVar[bool] = False
    codes: ClassVar[Mapping[str, Any]] = CODES

    def ask_token(self, *, amount: int, order_number: int, callback_url: str, description: str) -> str:
        # mobile, email and card_pan are optional and stay unsent.
        answer = self._call(
            "request",
            amount=amount,
            currency="IRR",
            description=description,
            callback_url=callback_url,
            metadata={"order_id": str(order_number)},
        )
        authority = fitting(answer.get("authority"), AUTHORITY)
        if _code(answer) == "100" and authority:
            return authority
        raise _refusal(_code(answer))

    def leave(self, token: str) -> Start:
        return Start("GET", f"{self.browser_url}/pg/StartPay/{token}", {})

    def pick(self, params: Mapping[str, str]) -> Returned:
        status = fitting(params.get("Status"), r"OK|NOK")
        return Returned(ok=status == "OK", code=status, token=fitting(params.get("Authority"), AUTHORITY))

    def matches(self, returned: Returned, attempt: Attempt) -> bool:
        return bool(attempt.token) and returned.token == attempt.token

    def verify(self, attempt: Attempt) -> Outcome:
        """We send our amount and Zarinpal compares it with the paid one (-50, and nothing is taken)."""
        try:
            answer = self._call("verify", amount=attempt.amount, authority=attempt.token)
        except GatewayError as error:
            return Outcome(error.kind, error.code)
        code, receipt = _code(answer), digits(answer.get("ref_id"))
        if code in ("100", "101") and receipt:
            return Outcome(Kind.PAID if code == "100" else Kind.ALREADY, code, receipt)
        if code == "-50":
            return Outcome(Kind.MISMATCH, code)
        if code in NOT_PAID:
            return Outcome(Kind.NOT_PAID, code)
        return Outcome(Kind.MISCONFIGURED if code in MISCONFIGURED else Kind.NO_ANSWER, code or "not-understood")

    def reverse(self, attempt: Attempt) -> Outcome:
        try:
            code = _code(self._call("reverse", authority=attempt.token))
        except GatewayError as error:
            return Outcome(error.kind, error.code)
        if code == "-61":  # said of a payment that was given back before, too
            stands = self.inquire(attempt)
            known = stands and stands.kind in (Kind.GIVEN_BACK, Kind.NO_ANSWER)
            return stands if stands and known else Outcome(Kind.REFUSED, code)
        kinds = {"100": Kind.GIVEN_BACK, "-63": Kind.TOO_LATE, "-60": Kind.REFUSED}
        return Outcome(Kind.MISCONFIGURED if code in MISCONFIGURED else kinds.get(code, Kind.NO_ANSWER), code)

    def inquire(self, attempt: Attempt) -> Outcome | None:
        try:
            answer = self._call("inquiry", authority=attempt.token)
        except GatewayError as error:
            return Outcome(error.kind, error.code)
        status = fitting(answer.get("status"), r"[A-Z_]{1,20}")
        if _code(answer) == "100" and status in STATUSES:
            return Outcome(STATUSES[status], status)
        return Outcome(Kind.NO_ANSWER, status or _code(answer) or "not-understood")

    def _call(self, verb: str, **fields: Any) -> dict[str, Any]:
        """`data` of the answer, or `errors`: whichever is an object, for the other one is then a list."""
        url = f"{self.api_url}/pg/v4/payment/{verb}.json"
        _status, answer = post_json(url, {"merchant_id": self.merchant_id, **fields}, keep=KEEP)
        data, errors = answer.get("data"), answer.get("errors")
        if isinstance(data, dict) and data and not errors:
            return data
        if isinstance(errors, dict) and not data:
            return errors
        raise GatewayError(Kind.NO_ANSWER, "not-understood")


def _code(answer: Mapping[str, Any]) -> str:
    number = whole(answer.get("code"))
    return "" if number is None else str(number)


def _refusal(code: str) -> GatewayError:
    return GatewayError(Kind.MISCONFIGURED if code in MISCONFIGURED else Kind.REFUSED, code or "not-understood")
