"""Zibal, by its web API v1 (public web docs and official PHP sample). Amounts in Rials; the receipt is refNumber."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from . import Account, Attempt, GatewayError, Kind, Outcome, Returned, Start
from .wire import digits, post_json, tehran_time, whole

CODES: dict[str, Any] = {
    "100": _("Confirmed"),
    "201": _("Confirmed before"),
    "202": _("The payment did not succeed"),
    "203": _("The gateway does not know this payment"),
    "102": _("The gateway does not know our account or server address"),
    "103": _("Our account at the gateway is not active"),
    "104": _("Our account at the gateway is not valid"),
    "105": _("The amount is below the gateway's limit"),
    "106": _("The return address is not on the registered domain"),
    "113": _("The amount is above the gateway's limit"),
    # Where a payment stands, by the callback and the inquiry.
    "status--1": _("The payer is at the bank"),
    "status--2": _("The gateway had an unexpected error"),
    "status-1": _("Confirmed"),
    "status-2": _("Paid, waiting to be confirmed"),
    "status-3": _("The payer cancelled"),
    "status-4": _("The card is not valid"),
    "status-5": _("The card has not enough funds"),
    "status-6": _("The payer typed a wrong second password"),
    "status-7": _("The payer tried too often"),
    "status-8": _("The card's count of payments a day is used up"),
    "status-9": _("The card's amount of payments a day is used up"),
    "status-10": _("The card's bank refused"),
    "status-11": _("The bank switch had an error"),
    "status-12": _("The card could not be reached"),
    "status-15": _("The money was given back"),
    "status-16": _("The money is being given back"),
    "status-18": _("The money was given back"),
}
# All that is read of an answer. cardNumber stands beside these.
KEEP = frozenset(("trackId", "result", "status", "amount", "orderId", "refNumber", "paidAt"))
MISCONFIGURED = {"102", "103", "104", "106"}
STATUSES = {1: Kind.PAID, 2: Kind.PAID, -1: Kind.PENDING, -2: Kind.NO_ANSWER}
STATUSES |= dict.fromkeys((15, 16, 18), Kind.GIVEN_BACK) | dict.fromkeys(range(3, 13), Kind.NOT_PAID)


@dataclass(frozen=True, repr=False)
class Adapter(Account):
    merchant: str

    slug: ClassVar[str] = "zibal"
    name: ClassVar[Any] = _("Zibal")
    returns_by: ClassVar[str] = "GET"
    min_rial: ClassVar[int] = 10_000
    max_rial: ClassVar[int] = 1_000_000_000
    expires_in: ClassVar[timedelta] = timedelta(minutes=30)
    verify_within: ClassVar[timedelta] = timedelta(minutes=30)  # the docs name none
    reverses_within: ClassVar[timedelta | None] = None
    verifies_by_token: ClassVar[bool] = True
    settles: ClassVar[bool] = False
    codes: ClassVar[Mapping[str, Any]] = CODES

    def ask_token(self, *, amount: int, order_number: int, callback_url: str, description: str) -> str:
        # mobile, nationalCode and allowedCards are optional and stay unsent; lazy mode would send us card numbers.
        code, answer = self._call(
            "request", amount=amount, callbackUrl=callback_url, orderId=str(order_number), description=description
        )
        token = digits(answer.get("trackId"))
        if code == "100" and token:
            return token
        raise GatewayError(Kind.MISCONFIGURED if code in MISCONFIGURED else Kind.REFUSED, code)

    def leave(self, token: str) -> Start:
        return Start("GET", f"{self.browser_url}/start/{token}", {})

    def pick(self, params: Mapping[str, str]) -> Returned:
        status = whole(params.get("status"))
        return Returned(
            ok=params.get("success") == "1",
            code="" if status is None else f"status-{status}",
            order_number=digits(params.get("orderId"), 18),
            token=digits(params.get("trackId")),
        )

    def matches(self, returned: Returned, attempt: Attempt) -> bool:
        return returned.order_number == str(attempt.order_number) and returned.token == attempt.token

    def verify(self, attempt: Attempt) -> Outcome:
        """We send no amount: the one in the answer is compared here, with the order's number."""
        try:
            code, answer = self._call("verify", trackId=int(attempt.token))
            if code == "201":  # said without a word of what was paid
                known, answer = self._call("inquiry", trackId=int(attempt.token))
                if known != "100" or whole(answer.get("status")) != 1:
                    return Outcome(Kind.NO_ANSWER, code)
        except GatewayError as error:
            return Outcome(error.kind, error.code)
        if code in ("100", "201"):
            return self._confirmed(answer, code, attempt)
        if code in ("202", "203"):
            return Outcome(Kind.NOT_PAID, code)
        return Outcome(Kind.MISCONFIGURED if code in MISCONFIGURED else Kind.NO_ANSWER, code)

    def _confirmed(self, answer: Mapping[str, Any], code: str, attempt: Attempt) -> Outcome:
        taken, order, receipt = whole(answer.get("amount")), whole(answer.get("orderId")), answer.get("refNumber")
        if taken is None or order is None or not digits(receipt):
            return Outcome(Kind.NO_ANSWER, code)
        if order != attempt.order_number:
            return Outcome(Kind.MISMATCH, code)
        at = tehran_time(answer.get("paidAt"))
        if taken != attempt.amount:
            return Outcome(Kind.MISMATCH, "other-amount", digits(receipt), attempt.token, at, taken)
        return Outcome(Kind.PAID if code == "100" else Kind.ALREADY, code, digits(receipt), attempt.token, at)

    def inquire(self, attempt: Attempt) -> Outcome | None:
        try:
            code, answer = self._call("inquiry", trackId=int(attempt.token))
        except GatewayError as error:
            return Outcome(error.kind, error.code)
        status = whole(answer.get("status"))
        if code == "100" and status in STATUSES:
            return Outcome(STATUSES[status], f"status-{status}")
        return Outcome(Kind.NO_ANSWER, code)

    def _call(self, verb: str, **fields: object) -> tuple[str, dict[str, Any]]:
        """The result code and the answer."""
        _status, answer = post_json(f"{self.api_url}/v1/{verb}", {"merchant": self.merchant, **fields}, keep=KEEP)
        number = whole(answer.get("result"))
        if number is None:
            raise GatewayError(Kind.NO_ANSWER, "not-understood")
        return str(number), answer
