"""Parsian (PEC), SOAP 1.1, by the clients of its official WooCommerce plugin and Parbad's ParsianHelper (2025).

Amounts in Rials; the receipt is RRN. The bank confirms one token as often as it is asked, with success each time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from . import Account, Attempt, GatewayError, Kind, Outcome, Returned, Start
from .wire import digits, elements, fitting, post_soap, whole

NAMESPACE = "https://pec.Shaparak.ir/NewIPGServices/"  # with a capital S, unlike the address
# Address and namespace of each service; they are not alike throughout.
SALE = ("Sale/SaleService", "Sale/SaleService")
CONFIRM = ("Confirm/ConfirmService", "Confirm/ConfirmService")
REVERSAL = ("Reverse/ReversalService", "Reversal/ReversalService")

CODES: dict[str, Any] = {
    "0": _("Confirmed"),
    "2": _("Confirmed before"),
    "-1": _("The bank had an error of its own"),
    "-100": _("Our account at the bank is not active"),
    "-101": _("The bank does not know our account"),
    "-102": _("The money was given back"),
    "-103": _("This account may not take such payments"),
    "-107": _("This account may not confirm payments"),
    "-108": _("This account may not give payments back"),
    "-111": _("The amount is above the bank's limit"),
    "-112": _("This order number was used before"),
    "-126": _("The bank does not know our account"),
    "-127": _("Our server's address is not registered at the bank"),
    "-128": _("Our server's address is not registered at the bank"),
    "-130": _("The payer's session at the bank ran out"),
    "-131": _("The bank does not know this payment"),
    "-132": _("The amount is below the bank's limit"),
    "-138": _("The payer cancelled"),
    "-1000": _("The bank switch gave no answer"),
    "-1505": _("Confirmed before"),
    "-1507": _("The money is being given back"),
    "-1527": _("The bank could not open the payment"),
    "-1528": _("The bank knows no such transaction"),
    "-1530": _("This account may not confirm payments"),
    "-1531": _("The payment did not succeed"),
    "-1532": _("Confirmed before"),
    "-1533": _("Confirmed before"),
    "-1540": _("The bank could not confirm the payment"),
    "-1549": _("The time to give the payment back is over"),
    "-1550": _("The payment cannot be given back as it stands"),
    "-1551": _("The money was given back"),
    "-1552": _("This account may not give payments back"),
    "-32768": _("The bank had an error of its own"),
    # Positive numbers are the card switch's.
    "51": _("The card has not enough funds"),
    "55": _("The payer typed a wrong second password"),
    "61": _("The card's amount of payments a day is used up"),
    "91": _("The card's bank gave no answer"),
}
MISCONFIGURED = {"-100", "-101", "-103", "-107", "-126", "-127", "-128"}
CONFIRMED_BEFORE = {"2", "-1505", "-1532", "-1533"}
GIVEN_BACK = {"-102", "-1507", "-1551"}
NOT_PAID = {"-130", "-131", "-138", "-1528", "-1531", "51", "55", "61"}


@dataclass(frozen=True, repr=False)
class Adapter(Account):
    pin: str

    slug: ClassVar[str] = "parsian"
    name: ClassVar[Any] = _("Parsian")
    returns_by: ClassVar[str] = "POST"
    min_rial: ClassVar[int] = 10_000
    max_rial: ClassVar[int] = 2_000_000_000
    expires_in: ClassVar[timedelta] = timedelta(minutes=30)
    verify_within: ClassVar[timedelta] = timedelta(minutes=15)  # not documented; as short as the others'
    reverses_within: ClassVar[timedelta | None] = timedelta(hours=1)  # not documented; the bank says when it is over
    verifies_by_token: ClassVar[bool] = True
    settles: ClassVar[bool] = False
    codes: ClassVar[Mapping[str, Any]] = CODES

    def ask_token(self, *, amount: int, order_number: int, callback_url: str, description: str) -> str:
        code, answer = self._call(
            SALE,
            "SalePaymentRequest",
            OrderId=order_number,
            Amount=amount,
            CallBackUrl=callback_url,
            AdditionalData="",
            Originator="",
        )
        token = digits(answer.get("Token"))
        if code == "0" and token:
            return token
        raise GatewayError(Kind.MISCONFIGURED if code in MISCONFIGURED else Kind.REFUSED, code)

    def leave(self, token: str) -> Start:
        return Start("GET", f"{self.browser_url}/NewIPG/?{urlencode({'Token': token})}", {})

    def pick(self, params: Mapping[str, str]) -> Returned:
        # The callback's RRN and Amount are not read: the confirmed ones come from the bank.
        code = fitting(params.get("status"), r"-?[0-9]{1,6}")
        return Returned(
            ok=code == "0",
            code=code,
            order_number=digits(params.get("OrderId"), 18),
            token=digits(params.get("Token")),
        )

    def matches(self, returned: Returned, attempt: Attempt) -> bool:
        return returned.order_number == str(attempt.order_number) and returned.token == attempt.token

    def verify(self, attempt: Attempt) -> Outcome:
        """The bank compares our amount and order number with the paid ones, and takes nothing where they differ."""
        try:
            code, answer = self._call(
                CONFIRM,
                "ConfirmPaymentWithAmount",
                Token=attempt.token,
                OrderId=attempt.order_number,
                Amount=attempt.amount,
            )
        except GatewayError as error:
            return Outcome(error.kind, error.code)
        receipt = digits(answer.get("RRN"))
        if code == "0" or code in CONFIRMED_BEFORE:
            if not receipt or answer.get("Token") != attempt.token:
                return Outcome(Kind.NO_ANSWER, code)
            return Outcome(Kind.PAID if code == "0" else Kind.ALREADY, code, receipt)
        if code in MISCONFIGURED:
            return Outcome(Kind.MISCONFIGURED, code)
        kinds = dict.fromkeys(GIVEN_BACK, Kind.GIVEN_BACK) | dict.fromkeys(NOT_PAID, Kind.NOT_PAID)
        return Outcome(kinds.get(code, Kind.NO_ANSWER), code)

    def reverse(self, attempt: Attempt) -> Outcome:
        try:
            code, _answer = self._call(REVERSAL, "ReversalRequest", Token=attempt.token)
        except GatewayError as error:
            return Outcome(error.kind, error.code)
        if code in MISCONFIGURED:
            return Outcome(Kind.MISCONFIGURED, code)
        kinds = dict.fromkeys({"0"} | GIVEN_BACK, Kind.GIVEN_BACK) | {"-1549": Kind.TOO_LATE}
        kinds |= dict.fromkeys(("-108", "-131", "-1530", "-1550", "-1552"), Kind.REFUSED)
        return Outcome(kinds.get(code, Kind.NO_ANSWER), code)

    def _call(self, service: tuple[str, str], verb: str, **fields: object) -> tuple[str, dict[str, str]]:
        """The status and the answer's elements. CardNumberMasked stands beside those that are read."""
        path, namespace = service[0], f"{NAMESPACE}{service[1]}"
        request = elements({"LoginAccount": self.pin, **fields})
        found = post_soap(
            f"{self.api_url}/NewIPGServices/{path}.asmx",
            f'<{verb} xmlns="{namespace}"><requestData>{request}</requestData></{verb}>',
            action=f"{namespace}/{verb}",
            keep=[f"{{{namespace}}}{name}" for name in ("Status", "Token", "RRN")],
        )
        answer = {tag.rpartition("}")[2]: text for tag, text in found.items()}
        number = whole(answer.get("Status"))
        if number is None:
            raise GatewayError(Kind.NO_ANSWER, "not-understood")
        return str(number), answer
