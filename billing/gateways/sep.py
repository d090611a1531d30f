"""Saman (SEP), by its "IPG guide" v3.3 (Esfand 1402). Amounts in Rials; the receipt is RefNum."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from . import Account, Attempt, GatewayError, Kind, Outcome, Returned, Start
from .wire import fitting, post_json, tehran_time, whole

RECEIPT = r"[A-Za-z0-9+/=_-]{1,50}"
TOKEN = r"[A-Za-z0-9+/=_-]{1,128}"  # noqa: S105 - a form, not a secret

CODES: dict[str, Any] = {
    "0": _("Confirmed"),
    "2": _("Confirmed before"),
    "-2": _("The bank knows no such transaction"),
    "-6": _("More than half an hour has passed since the transaction"),
    "5": _("The money was given back"),
    "-104": _("Our terminal is switched off"),
    "-105": _("The bank does not know our terminal"),
    "-106": _("Our server's address is not registered at the bank"),
    # The callback's own numbers, and the refusals of a token.
    "status-1": _("The payer cancelled"),
    "status-3": _("The bank refused the payment"),
    "status-4": _("The payer's session at the bank ran out"),
    "status-5": _("The bank found our request invalid"),
    "status-8": _("Our server's address is not registered at the bank"),
    "status-10": _("The bank did not find the token"),
    "status-11": _("The token was missing"),
    "status-12": _("The bank does not know our terminal"),
    "status-21": _("The bank refused the split of the payment"),
}
# All that is read of an answer. MaskedPan and HashedPan stand beside these.
DETAIL = ("RRN", "RefNum", "StraceNo", "StraceDate", "OrginalAmount", "AffectiveAmount", "TerminalNumber")
KEEP = frozenset(("status", "token", "errorCode", "ResultCode", "Success", "TransactionDetail", *DETAIL))
MISCONFIGURED = {"-104", "-105", "-106"}


@dataclass(frozen=True, repr=False)
class Adapter(Account):
    terminal_id: str

    slug: ClassVar[str] = "sep"
    name: ClassVar[Any] = _("Saman Electronic Payment")
    returns_by: ClassVar[str] = "POST"  # never GetMethod=true: the masked card would stand in the access log
    min_rial: ClassVar[int] = 10_000
    max_rial: ClassVar[int] = 2_000_000_000
    expires_in: ClassVar[timedelta] = timedelta(minutes=30)
    verify_within: ClassVar[timedelta] = timedelta(minutes=30)
    reverses_within: ClassVar[timedelta | None] = timedelta(minutes=50)
    verifies_by_token: ClassVar[bool] = False  # no question by token or order number: unreported money goes back
    settles: ClassVar[bool] = False
    codes: ClassVar[Mapping[str, Any]] = CODES

    def ask_token(self, *, amount: int, order_number: int, callback_url: str, description: str) -> str:
        # CellNumber and HashedCardNumber are optional and stay unsent: they would list the payer's cards.
        _status, answer = post_json(
            f"{self.api_url}/onlinepg/onlinepg",
            {
                "action": "token",
                "TerminalId": self.terminal_id,
                "Amount": amount,
                "ResNum": str(order_number),
                "RedirectUrl": callback_url,
            },
            keep=KEEP,
        )
        token = fitting(answer.get("token"), TOKEN)
        if answer.get("status") == 1 and token:
            return token
        code = fitting(answer.get("errorCode"), r"[0-9-]{1,6}")
        raise GatewayError(Kind.MISCONFIGURED if code in ("8", "12") else Kind.REFUSED, f"status-{code}")

    def leave(self, token: str) -> Start:
        # GetMethod empty: the callback comes by POST.
        return Start("POST", f"{self.browser_url}/OnlinePG/OnlinePG", {"Token": token, "GetMethod": ""})

    def pick(self, params: Mapping[str, str]) -> Returned:
        status = fitting(params.get("Status"), r"[0-9]{1,4}")
        state = fitting(params.get("State"), r"[A-Za-z]{1,40}")
        receipt = fitting(params.get("RefNum"), RECEIPT)
        return Returned(
            ok=bool(receipt) and (status == "2" or state == "OK"),
            code=f"status-{status}" if status else "",
            order_number=fitting(params.get("ResNum"), r"[0-9]{1,18}"),
            token=fitting(params.get("Token"), TOKEN),
            receipt=receipt,
            terminal=fitting(params.get("TerminalId"), r"[0-9]{1,15}"),
        )

    def matches(self, returned: Returned, attempt: Attempt) -> bool:
        return (
            returned.order_number == str(attempt.order_number)
            and returned.token in ("", attempt.token)
            and returned.terminal in ("", self.terminal_id)
        )

    def verify(self, attempt: Attempt) -> Outcome:
        """The answer names no order: only our own unique receipt ties the money to this payment."""
        try:
            code, answer = self._call("VerifyTransaction", attempt)
        except GatewayError as error:
            return Outcome(error.kind, error.code)
        if code in ("0", "2"):
            return self._confirmed(answer, code, attempt)
        if code in MISCONFIGURED:
            return Outcome(Kind.MISCONFIGURED, code)
        # A number that the guide does not have tells us nothing, least of all that nothing was paid.
        kinds = {"-6": Kind.TOO_LATE, "5": Kind.GIVEN_BACK, "-2": Kind.NOT_PAID}
        return Outcome(kinds.get(code, Kind.NO_ANSWER), code)

    def reverse(self, attempt: Attempt) -> Outcome:
        """The guide knows the whole amount only."""
        try:
            code, _answer = self._call("ReverseTransaction", attempt)
        except GatewayError as error:
            return Outcome(error.kind, error.code)
        kinds = {"0": Kind.GIVEN_BACK, "5": Kind.GIVEN_BACK, "-6": Kind.TOO_LATE, "-2": Kind.REFUSED}
        return Outcome(Kind.MISCONFIGURED if code in MISCONFIGURED else kinds.get(code, Kind.NO_ANSWER), code)

    def _call(self, verb: str, attempt: Attempt) -> tuple[str, dict[str, Any]]:
        """The result code and the answer."""
        status, answer = post_json(
            f"{self.api_url}/verifyTxnRandomSessionkey/ipg/{verb}",
            {"RefNum": attempt.receipt, "TerminalNumber": int(self.terminal_id)},
            keep=KEEP,
        )
        number = whole(answer.get("ResultCode"))
        if status != 200 or number is None:
            raise GatewayError(Kind.NO_ANSWER, f"http-{status}" if status != 200 else "not-understood")
        return str(number), answer

    def _confirmed(self, answer: Mapping[str, Any], code: str, attempt: Attempt) -> Outcome:
        detail = answer.get("TransactionDetail")
        # `Orginal`, `Affective` and `Strace` are the guide's own spelling.
        if not isinstance(detail, dict) or answer.get("Success") is not True:
            return Outcome(Kind.NO_ANSWER, code)
        asked, taken = whole(detail.get("OrginalAmount")), whole(detail.get("AffectiveAmount"))
        if asked is None or taken is None:
            return Outcome(Kind.NO_ANSWER, code)
        if detail.get("RefNum") != attempt.receipt or whole(detail.get("TerminalNumber")) != int(self.terminal_id):
            return Outcome(Kind.MISMATCH, code)
        if asked != attempt.amount or taken != attempt.amount:
            return Outcome(Kind.MISMATCH, "other-amount", taken=taken)
        numbers = [fitting(detail.get(name), r"[0-9A-Za-z]{1,24}") for name in ("RRN", "StraceNo")]
        return Outcome(
            Kind.PAID if code == "0" else Kind.ALREADY,
            code,
            attempt.receipt,
            " / ".join(filter(None, numbers)),
            tehran_time(detail.get("StraceDate")),
        )
