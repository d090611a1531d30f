"""Sadad's gateway as the outside world speaks it (document v1.10)."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from tests.world.wire import CALLBACK, Answer, Wire
from tests.world_client import World

MERCHANT, TERMINAL, KEY = "000000140212149", "24000615", "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4"
CARD = {"HashedCardNo", "PrimaryAccNo", "CardHolderFullName"}
FIELDS = {"OrderId", "Token", "ResCode", "SwitchResCode"} | CARD


def signed(text: str) -> str:
    left = 8 - len(text) % 8
    block = text.encode() + bytes([left]) * left
    cipher = Cipher(TripleDES(base64.b64decode(KEY)), modes.ECB()).encryptor()  # noqa: S305
    return base64.b64encode(cipher.update(block) + cipher.finalize()).decode()


def start(wire: Wire, order: int = 10000019, amount: int = 12_000, change: dict[str, object] | None = None) -> Answer:
    asked = {
        "MerchantId": MERCHANT, "TerminalId": TERMINAL, "Amount": amount, "OrderId": order,
        "LocalDateTime": "11/22/2026 9:48:17 AM", "ReturnUrl": CALLBACK,
        "SignData": signed(f"{TERMINAL};{order};{amount}"),
    }  # fmt: skip
    return wire.post_json("/sadad/api/v0/Request/PaymentRequest", asked | (change or {}))


def verify(wire: Wire, token: str, **change: object) -> Any:
    asked = {"Token": token, "SignData": signed(token)}
    return wire.post_json("/sadad/api/v0/Advice/Verify", asked | change).json


@pytest.fixture
def paid(outer: World, wire: Wire) -> str:
    """The token of a payment that was made."""
    token = str(start(wire).json["Token"])
    outer.pay("sadad", token)
    return token


def test_the_signature_is_that_of_the_document() -> None:
    assert signed("24000615;1001;12000") == "8Pne0rfoa/WwuA5LWndcwrN22lkqlef4"
    assert signed("0000000000012345678") == "yJ9H4nOzuPyT4fOe0523X2PGEbKoHZPW"


def test_it_takes_the_known_signature_of_a_known_order(wire: Wire) -> None:
    answer = start(wire, 1001, change={"SignData": "8Pne0rfoa/WwuA5LWndcwrN22lkqlef4"}).json
    assert answer["ResCode"] == 0


def test_a_payment_goes_from_request_to_verified(outer: World, wire: Wire) -> None:
    started = start(wire).json
    assert started["ResCode"] == 0
    callback = outer.pay("sadad", started["Token"])
    assert (callback.method, callback.url) == ("POST", CALLBACK)
    assert callback.fields.keys() == FIELDS
    told = {name: callback.fields[name] for name in ("OrderId", "Token", "ResCode")}
    assert told == {"OrderId": "10000019", "Token": started["Token"], "ResCode": "0"}
    answer = verify(wire, started["Token"])
    assert (answer["ResCode"], answer["Amount"], answer["OrderId"]) == (0, 12_000, 10000019)
    row = outer.ledger()[-1]
    assert (row["state"], row["order"], row["amount"]) == ("verified", "10000019", 12_000)
    assert (row["receipt"], row["trace"]) == (answer["RetrivalRefNo"], answer["SystemTraceNo"])
    shown = {callback.fields[name] for name in CARD}
    assert shown | {answer["CardHolderFullName"]} <= set(row["card"]["traces"])


def test_verify_again_says_100_with_the_same_facts(wire: Wire, paid: str) -> None:
    first, again = verify(wire, paid), verify(wire, paid)
    assert [first.pop("ResCode"), again.pop("ResCode")] == [0, 100]
    assert first.pop("Description") != again.pop("Description")
    assert first == again


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"MerchantId": "1"}, 1027), ({"TerminalId": "1"}, 1028), ({"SignData": "x"}, 1025), ({"SignData": None}, 1025),
        ({"Amount": 13_000}, 1025), ({"OrderId": 5}, 1025), ({"Amount": 0}, 1101), ({"Amount": True}, 1101),
        ({"Amount": "12,000"}, 1101), ({"OrderId": "1" * 20}, 1026), ({"OrderId": "a"}, 1026),
        ({"ReturnUrl": "portal"}, 1023), ({"LocalDateTime": ""}, 1018), ({"LocalDateTime": "2026-11-22 9:48"}, 1018),
    ],
)  # fmt: skip
def test_a_request_that_breaks_the_table_has_a_code_of_its_own(
    wire: Wire, change: dict[str, object], code: int
) -> None:
    answer = start(wire, change=change).json
    assert (answer["ResCode"], answer["Token"]) == (code, None)


def test_a_form_is_no_request(wire: Wire) -> None:
    assert wire.post_form("/sadad/api/v0/Request/PaymentRequest", {"OrderId": 1}).status == 415
    assert wire.post_json("/sadad/api/v0/Advice/Verify", ["a list"]).status == 400


def test_an_order_number_is_used_once(wire: Wire) -> None:
    assert [start(wire).json["ResCode"], start(wire).json["ResCode"]] == [0, 1011]


def test_the_pay_page_wants_to_know_where_the_browser_comes_from(wire: Wire) -> None:
    token = start(wire).json["Token"]
    assert wire.get(f"/sadad/Purchase?Token={token}").status == 403
    shown = wire.get(f"/sadad/Purchase?Token={token}", Referer="http://127.0.0.1:8000/")
    assert (shown.status, '<button id="pay"' in shown.text) == (200, True)
    assert wire.get("/sadad/Purchase?Token=none", Referer="http://127.0.0.1:8000/").status == 404


@pytest.mark.parametrize(("do", "cards"), [("cancel", 0), ("fail", 3), ("", 0)])
def test_what_was_not_paid_is_not_verified(outer: World, wire: Wire, do: str, cards: int) -> None:
    token = start(wire).json["Token"]
    if do:
        fields = outer.pay("sadad", token, do).fields
        assert fields["ResCode"] == "-1"
        assert len([name for name in CARD if fields[name]]) == cards
    answer = verify(wire, token)
    assert (answer["ResCode"], answer["Amount"], answer["RetrivalRefNo"]) == (-1, None, None)


def test_another_token_or_signature_verifies_nothing(outer: World, wire: Wire, paid: str) -> None:
    assert verify(wire, "none")["ResCode"] == -1
    assert verify(wire, paid, SignData=signed("none"))["ResCode"] == -1
    assert outer.ledger()[-1]["state"] == "paid"


def test_unverified_money_goes_back_after_a_quarter_of_an_hour(outer: World, wire: Wire, paid: str) -> None:
    outer.clock(14 * 60)
    assert outer.ledger()[-1]["state"] == "paid"
    outer.clock(61)
    assert outer.ledger()[-1]["state"] == "reversed"
    assert verify(wire, paid)["ResCode"] == 101


def test_a_verified_payment_stays(outer: World, wire: Wire, paid: str) -> None:
    verify(wire, paid)
    outer.clock(16 * 60)
    assert verify(wire, paid)["ResCode"] == 100


def test_a_script_can_name_a_code_or_an_amount(outer: World, wire: Wire, paid: str) -> None:
    outer.next("sadad", "verify", {"code": -1}, {"amount": 1_000})
    outer.next("sadad", "start", {"code": 1003})
    assert verify(wire, paid)["ResCode"] == -1
    assert verify(wire, paid)["Amount"] == 1_000
    assert verify(wire, paid)["Amount"] == 12_000
    assert start(wire, 7).json["ResCode"] == 1003
