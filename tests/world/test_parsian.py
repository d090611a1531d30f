"""Parsian's gateway as the outside world speaks it (NewIPGServices)."""

import urllib.error
import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest

from tests.world.wire import CALLBACK, PARSIAN, SOAP, Answer, Wire, elements
from tests.world_client import World

SALE, CONFIRM = f"{PARSIAN}/Sale/SaleService", f"{PARSIAN}/Confirm/ConfirmService"
CONFIRM_PATH = "/parsian/NewIPGServices/Confirm/ConfirmService.asmx"
FIELDS = {"Token", "status", "OrderId", "TerminalNo", "RRN", "Amount", "HashCardNumber", "STraceNo"}


def result(answer: Answer) -> dict[str, str]:
    """The children of `…Result`, all in the namespace of the operation."""
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    response = answer.soap
    space, _, name = response.tag.rpartition("}")
    (found,) = response
    assert (answer.status, found.tag) == (200, f"{space}}}{name.removesuffix('Response')}Result")
    assert all(child.tag.startswith(f"{space}}}") for child in found)
    return {child.tag.rpartition("}")[2]: child.text or "" for child in found}


def confirm(wire: Wire, token: str, order: object = 10000020, amount: object = 12_000) -> dict[str, str]:
    return result(wire.parsian("ConfirmPaymentWithAmount", Token=token, OrderId=order, Amount=amount))


def reverse(wire: Wire, token: str) -> str:
    return result(wire.parsian("ReversalRequest", Token=token))["Status"]


@pytest.fixture
def paid(outer: World, wire: Wire) -> str:
    """The token of a payment that was made."""
    token = result(wire.parsian_sale())["Token"]
    outer.pay("parsian", token)
    return token


def test_a_payment_goes_from_token_to_confirmed(outer: World, wire: Wire) -> None:
    answer = wire.parsian_sale(AdditionalData="فاکتور ۱")
    assert answer.soap.tag == f"{{{SALE}}}SalePaymentRequestResponse"
    started = result(answer)
    assert list(started) == ["Token", "Message", "Status"]
    token = started["Token"]
    assert (started["Status"], int(token) > 0) == ("0", True)
    page = wire.get(f"/parsian/NewIPG/?Token={token}")
    assert '<button id="pay"' in page.text
    assert "فاکتور ۱" in page.text
    callback = outer.pay("parsian", token)
    assert (callback.method, callback.url) == ("POST", CALLBACK)
    assert callback.fields.keys() == FIELDS
    known = {"Token": token, "status": "0", "OrderId": "10000020", "TerminalNo": "2015", "Amount": "12,000"}
    assert callback.fields.items() >= known.items()
    confirmed = confirm(wire, token)
    assert list(confirmed) == ["Status", "CardNumberMasked", "RRN", "Token"]
    assert (confirmed["Status"], confirmed["Token"]) == ("0", token)
    assert confirmed["RRN"] == callback.fields["RRN"]
    assert len(confirmed["RRN"]) == 12
    row = outer.ledger()[-1]
    assert (row["state"], row["order"], row["amount"], row["receipt"], row["refunded"]) == (
        "verified", "10000020", 12_000, confirmed["RRN"], 0,
    )  # fmt: skip


def test_a_token_confirmed_before_is_confirmed_again_with_the_same_receipt(outer: World, wire: Wire, paid: str) -> None:
    first, again = confirm(wire, paid), confirm(wire, paid)
    assert first["Status"] == "0"
    assert first == again
    outer.next("parsian", "verify", {"code": -1533})
    assert confirm(wire, paid)["Status"] == "-1533"


def test_the_confirm_without_amount_wants_the_token_alone(outer: World, wire: Wire, paid: str) -> None:
    answer = wire.parsian("ConfirmPayment", Token=paid)
    assert answer.soap.tag == f"{{{CONFIRM}}}ConfirmPaymentResponse"
    assert result(answer)["Status"] == "0"
    assert outer.ledger()[-1]["state"] == "verified"


def test_another_amount_or_order_confirms_nothing(outer: World, wire: Wire, paid: str) -> None:
    for order, amount in ((10000020, 11_999), (10000021, 12_000)):
        refused = confirm(wire, paid, order, amount)
        assert (refused["Status"], refused["RRN"], refused["CardNumberMasked"]) == ("-1540", "0", "")
    assert outer.ledger()[-1]["state"] == "paid"
    assert confirm(wire, "1")["Status"] == "-131"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"LoginAccount": "guess"}, "-126"), ({"LoginAccount": ""}, "-113"), ({"Amount": ""}, "-113"),
        ({"Amount": 999}, "-132"), ({"Amount": 0}, "-132"), ({"Amount": -12_000}, "-132"), ({"OrderId": 0}, "-120"),
        ({"CallBackUrl": "portal"}, "-120"), ({"CallBackUrl": "https:///pay"}, "-120"),
    ],
)  # fmt: skip
def test_a_sale_is_refused_with_a_code_and_its_words(
    outer: World, wire: Wire, change: dict[str, object], code: str
) -> None:
    refused = result(wire.parsian_sale(**change))
    assert (refused["Status"], refused["Token"]) == (code, "0")
    assert refused["Message"]
    assert outer.ledger() == []


def test_an_order_number_is_used_once(wire: Wire) -> None:
    assert [result(wire.parsian_sale())["Status"] for _ in range(2)] == ["0", "-112"]


def test_the_pin_is_asked_for_in_every_call(wire: Wire, paid: str) -> None:
    for name in ("ConfirmPayment", "ReversalRequest"):
        assert result(wire.parsian(name, LoginAccount="guess", Token=paid))["Status"] == "-126"


def is_fault(answer: Answer) -> bool:
    return answer.status == 500 and answer.soap.tag == f"{{{SOAP}}}Fault"


ASKED = elements({"LoginAccount": "pretend-pin-2015", "Token": 1})
QUALIFIED = f"<requestData>{ASKED}</requestData>"


@pytest.mark.parametrize(
    "body",
    [
        f'<ConfirmPayment xmlns="{CONFIRM.replace("Shaparak", "shaparak")}">{QUALIFIED}</ConfirmPayment>',
        f'<c:ConfirmPayment xmlns:c="{CONFIRM}">{QUALIFIED}</c:ConfirmPayment>',
        f'<c:ConfirmPayment xmlns:c="{CONFIRM}"><c:requestData>{ASKED}</c:requestData></c:ConfirmPayment>',
        f'<ConfirmPayment xmlns="{CONFIRM}">{ASKED}</ConfirmPayment>',
        f'<ConfirmPayment xmlns="{CONFIRM}"><requestData>{ASKED}<Amount>1</Amount></requestData></ConfirmPayment>',
        f'<ConfirmPayment xmlns="{CONFIRM}"><requestData>{ASKED}<Token>1</Token></requestData></ConfirmPayment>',
        f'<ConfirmPayment xmlns="{CONFIRM}">{QUALIFIED.replace(">1<", ">one<")}</ConfirmPayment>',
        f'<ReversalRequest xmlns="{CONFIRM}">{QUALIFIED}</ReversalRequest>',
    ],
    ids=["small-s", "bare-wrapper", "bare-children", "no-wrapper", "unknown", "twice", "no-number", "other-op"],
)
def test_a_wrongly_formed_envelope_is_a_fault(wire: Wire, body: str) -> None:
    assert is_fault(wire.post_soap(CONFIRM_PATH, body, f"{CONFIRM}/ConfirmPayment"))


def test_the_headers_are_those_of_soap_1_1(wire: Wire) -> None:
    body = f'<ConfirmPayment xmlns="{CONFIRM}">{QUALIFIED}</ConfirmPayment>'
    for action in (f"{CONFIRM}/ConfirmPayment", f'"{CONFIRM}/ConfirmPayment"'):
        assert result(wire.post_soap(CONFIRM_PATH, body, action))["Status"] == "-131"
    for action in ('""', "ConfirmPayment", f"{CONFIRM}/ConfirmPaymentWithAmount"):
        assert is_fault(wire.post_soap(CONFIRM_PATH, body, action))
    other = wire.post_soap(CONFIRM_PATH, body, f"{CONFIRM}/ConfirmPayment", kind="application/xml")
    assert other.status == 415


def test_the_pay_page_knows_its_tokens_for_a_quarter_of_an_hour(outer: World, wire: Wire) -> None:
    token = result(wire.parsian_sale())["Token"]
    assert wire.get("/parsian/NewIPG/?Token=1").status == 404
    outer.clock(15 * 60 + 1)
    assert wire.get(f"/parsian/NewIPG/?Token={token}").status == 410


@pytest.mark.parametrize(
    ("do", "status", "code"), [("cancel", "-138", "-138"), ("fail", "51", "-1531"), ("", "", "-1531")]
)
def test_what_was_not_paid_is_not_confirmed(outer: World, wire: Wire, do: str, status: str, code: str) -> None:
    token = result(wire.parsian_sale())["Token"]
    if do:
        fields = outer.pay("parsian", token, do).fields
        assert (fields["status"], fields["RRN"]) == (status, "0")
    refused = confirm(wire, token)
    assert (refused["Status"], refused["RRN"], refused["CardNumberMasked"]) == (code, "0", "")


def test_unconfirmed_money_goes_back_after_a_quarter_of_an_hour(outer: World, wire: Wire, paid: str) -> None:
    outer.clock(15 * 60 - 10)
    assert outer.ledger()[-1]["state"] == "paid"
    outer.clock(11)
    assert outer.ledger()[-1]["state"] == "reversed"
    assert confirm(wire, paid)["Status"] == "-102"


def test_reversal_wants_a_confirmed_payment_and_an_hour(outer: World, wire: Wire, paid: str) -> None:
    assert [reverse(wire, "1"), reverse(wire, paid)] == ["-131", "-1550"]
    confirm(wire, paid)
    outer.clock(3600 - 10)
    assert [reverse(wire, paid), reverse(wire, paid)] == ["0", "-1551"]
    assert outer.ledger()[-1]["state"] == "reversed"
    late = result(wire.parsian_sale(2))["Token"]
    outer.pay("parsian", late)
    confirm(wire, late, 2)
    outer.clock(3600 + 1)
    assert reverse(wire, late) == "-1549"


def broken(wire: Wire, token: str) -> None:
    with pytest.raises(ET.ParseError):
        confirm(wire, token)


def silence(wire: Wire, token: str) -> None:
    with pytest.raises((TimeoutError, urllib.error.URLError)):
        wire.parsian("ConfirmPayment", timeout=0.5, Token=token)


def closed_door(wire: Wire, token: str) -> None:
    with pytest.raises((ConnectionError, urllib.error.URLError)):
        confirm(wire, token)


def a_fault(wire: Wire, token: str) -> None:
    assert is_fault(wire.parsian("ConfirmPayment", Token=token))


@pytest.mark.parametrize(
    ("step", "seen", "state"),
    [
        ("timeout_after_commit", silence, "verified"), ("truncated", broken, "verified"),
        ("timeout", silence, "paid"), ("refuse", closed_door, "paid"), ("fault", a_fault, "paid"),
    ],
)  # fmt: skip
def test_a_scripted_confirm_goes_wrong_once(
    outer: World, wire: Wire, paid: str, step: str, seen: Callable[[Wire, str], None], state: str
) -> None:
    outer.next("parsian", "verify", step)
    seen(wire, paid)
    assert outer.ledger()[-1]["state"] == state
    assert confirm(wire, paid)["Status"] == "0"


def test_a_script_can_name_a_code_or_a_whole_answer(outer: World, wire: Wire, paid: str) -> None:
    outer.next("parsian", "start", {"code": -127})
    outer.next("parsian", "verify", {"code": -1000}, {"raw": "<html>busy</html>"})
    outer.next("parsian", "reverse", {"code": -1552})
    outer.next("parsian", "browser", {"code": -130})
    started = result(wire.parsian_sale(2))
    assert (started["Status"], started["Token"]) == ("-127", "0")
    assert confirm(wire, paid)["Status"] == "-1000"
    raw = wire.parsian("ConfirmPayment", Token=paid)
    assert (raw.text, raw.headers["Content-Type"]) == ("<html>busy</html>", "text/xml; charset=utf-8")
    assert reverse(wire, paid) == "-1552"
    assert wire.get(f"/parsian/NewIPG/?Token={paid}").status == 403
    assert confirm(wire, paid)["Status"] == "0"


def test_callback_and_confirm_carry_the_card_unasked(outer: World, wire: Wire) -> None:
    token = result(wire.parsian_sale())["Token"]
    fields = outer.pay("parsian", token).fields
    seen = {fields["HashCardNumber"], confirm(wire, token)["CardNumberMasked"]}
    assert len(seen) == 2
    assert seen <= set(outer.ledger()[-1]["card"]["traces"])
