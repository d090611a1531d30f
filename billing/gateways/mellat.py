"""Behpardakht Mellat, by its guide v1.29 (Tir 1402), SOAP 1.1. Amounts in Rials; the receipt is SaleReferenceId.

No answer names an amount: RefId and SaleOrderId of the callback tie the money to an attempt, so both must be ours.
Verified money is transferred only after a second call, settle.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from . import Account, Attempt, GatewayError, Kind, Outcome, Returned, Start
from .wire import TEHRAN, digits, elements, fitting, post_soap

NAMESPACE = "http://interfaces.core.sw.bps.com/"
TOKEN = r"[A-Za-z0-9]{8,64}"  # noqa: S105 - a form, not a secret

CODES: dict[str, Any] = {
    "0": _("Confirmed"),
    "11": _("The card is not valid"),
    "12": _("The card has not enough funds"),
    "13": _("The payer typed a wrong second password"),
    "14": _("The payer tried too often"),
    "15": _("The card is not valid"),
    "16": _("The card's count of payments a day is used up"),
    "17": _("The payer cancelled"),
    "18": _("The card has expired"),
    "19": _("The card's amount of payments a day is used up"),
    "111": _("The card's bank refused"),
    "112": _("The bank switch had an error"),
    "113": _("The card's bank gave no answer"),
    "114": _("The card's holder may not make this payment"),
    "21": _("The bank does not know our account"),
    "23": _("The bank found a security error"),
    "24": _("The bank does not know our account"),
    "25": _("The bank found the amount invalid"),
    "31": _("The bank found our request invalid"),
    "32": _("The bank found our request invalid"),
    "33": _("Our account at the bank is not active"),
    "34": _("The bank had an error of its own"),
    "35": _("Our server's clock is wrong"),
    "41": _("This order number was used before"),
    "42": _("The bank knows no such transaction"),
    "43": _("Confirmed before"),
    "44": _("The bank knows no such transaction"),
    "45": _("Transferred before"),
    "46": _("Not transferred yet"),
    "47": _("Not transferred yet"),
    "48": _("The money was given back"),
    "51": _("The bank found this transaction twice"),
    "54": _("The bank knows no such transaction"),
    "55": _("The bank found the transaction invalid"),
    "61": _("The bank could not transfer the money"),
    "62": _("The return address is not on the registered domain"),
    "415": _("The payer's session at the bank ran out"),
    "416": _("The bank had an error of its own"),
    "419": _("The payer tried too often"),
    "421": _("Our server's address is not registered at the bank"),
}
MISCONFIGURED = {"21", "23", "24", "33", "35", "62", "421"}
NO_ANSWER = {"31", "32", "34", "61", "112", "113", "416"}


@dataclass(frozen=True, repr=False)
class Adapter(Account):
    terminal_id: str
    username: str
    password: str

    slug: ClassVar[str] = "mellat"
    name: ClassVar[Any] = _("Behpardakht Mellat")
    returns_by: ClassVar[str] = "POST"
    min_rial: ClassVar[int] = 10_000
    max_rial: ClassVar[int] = 2_000_000_000
    expires_in: ClassVar[timedelta] = timedelta(minutes=30)
    verify_within: ClassVar[timedelta] = timedelta(minutes=20)
    reverses_within: ClassVar[timedelta | None] = timedelta(hours=3)  # and only before settle
    verifies_by_token: ClassVar[bool] = False  # every question needs the callback's SaleReferenceId
    settles: ClassVar[bool] = True
    codes: ClassVar[Mapping[str, Any]] = CODES

    def ask_token(self, *, amount: int, order_number: int, callback_url: str, description: str) -> str:
        # mobileNo, encPan and panHiddenMode are optional and stay unsent: they would list the payer's cards.
        now = datetime.now(TEHRAN)
        answer = self._call(
            "bpPayRequest",
            orderId=order_number,
            amount=amount,
            localDate=f"{now:%Y%m%d}",
            localTime=f"{now:%H%M%S}",
            additionalData="",
            callBackUrl=callback_url,
            payerId=0,
        )
        code, _comma, reference = answer.partition(",")
        token = fitting(reference, TOKEN)
        if code == "0" and token:
            return token
        code = fitting(code, r"[0-9]{1,4}") or "not-understood"
        raise GatewayError(Kind.MISCONFIGURED if code in MISCONFIGURED else Kind.REFUSED, code)

    def leave(self, token: str) -> Start:
        return Start("POST", f"{self.browser_url}/pgwchannel/startpay.mellat", {"RefId": token})

    def pick(self, params: Mapping[str, str]) -> Returned:
        code, receipt = fitting(params.get("ResCode"), r"[0-9]{1,4}"), digits(params.get("SaleReferenceId"))
        return Returned(
            ok=code == "0" and bool(receipt),
            code=code,
            order_number=digits(params.get("SaleOrderId"), 18),
            token=fitting(params.get("RefId"), TOKEN),
            receipt=receipt,
            amount=digits(params.get("FinalAmount"), 18),
        )

    def matches(self, returned: Returned, attempt: Attempt) -> bool:
        """The guide's security note: RefId and SaleOrderId, both. Another FinalAmount is a discount we never gave."""
        return (
            returned.order_number == str(attempt.order_number)
            and returned.token == attempt.token
            and returned.amount in ("", str(attempt.amount))
        )

    def verify(self, attempt: Attempt) -> Outcome:
        outcome = self._ask("bpVerifyRequest", attempt, {"0": Kind.PAID, "43": Kind.ALREADY, "48": Kind.GIVEN_BACK})
        if outcome.code in ("34", "416"):  # the guide: where verify fails, the inquiry may know that it was done
            known = {"43": Kind.PAID, "45": Kind.PAID, "48": Kind.GIVEN_BACK}
            inquiry = self._ask("bpInquiryRequest", attempt, known)
            return inquiry if inquiry.kind in known.values() else outcome
        return outcome

    def settle(self, attempt: Attempt) -> Outcome:
        return self._ask("bpSettleRequest", attempt, {"0": Kind.PAID, "45": Kind.PAID, "48": Kind.GIVEN_BACK})

    def reverse(self, attempt: Attempt) -> Outcome:
        """Only before settle; afterwards the guide has a refund to the card, which we leave to people."""
        known = {"0": Kind.GIVEN_BACK, "48": Kind.GIVEN_BACK, "45": Kind.TOO_LATE}
        outcome = self._ask("bpReversalRequest", attempt, known)
        return outcome._replace(kind=Kind.REFUSED) if outcome.kind is Kind.NOT_PAID else outcome

    def _ask(self, verb: str, attempt: Attempt, known: Mapping[str, Kind]) -> Outcome:
        """One of the calls about a sale: its code, which stands for itself."""
        try:
            said = self._call(
                verb,
                orderId=attempt.order_number,
                saleOrderId=attempt.order_number,
                saleReferenceId=attempt.receipt,
            )
        except GatewayError as error:
            return Outcome(error.kind, error.code)
        code = fitting(said, r"[0-9]{1,4}")
        if code in known:
            return Outcome(known[code], code, attempt.receipt)
        if code in MISCONFIGURED:
            return Outcome(Kind.MISCONFIGURED, code)
        # A number that the guide does not have tells us nothing, least of all that nothing was paid.
        unclear = code in NO_ANSWER or code not in CODES
        return Outcome(Kind.NO_ANSWER if unclear else Kind.NOT_PAID, code or "not-understood")

    def _call(self, verb: str, **fields: object) -> str:
        """The text of `return`. Children carry no namespace, and stand in the order of the WSDL."""
        ours = {"terminalId": self.terminal_id, "userName": self.username, "userPassword": self.password}
        answer = post_soap(
            f"{self.api_url}/pgwchannel/services/pgw",
            f'<pgw:{verb} xmlns:pgw="{NAMESPACE}">{elements(ours | fields)}</pgw:{verb}>',
            action="",
            keep=("return",),
        )
        return answer["return"]
