"""Pasargad's gateway as the outside world speaks it (IPG REST v9.0)."""

from typing import Any

import pytest

from tests.world.wire import CALLBACK, Answer, Wire
from tests.world_client import World

Ids = dict[str, str]


@pytest.fixture
def token(wire: Wire) -> str:
    return str(wire.pasargad_token().json["token"])


def start(wire: Wire, token: str, **change: object) -> Answer:
    asked = {
        "invoice": "10000020", "invoiceDate": "2026-11-22", "amount": 12_000, "callbackApi": CALLBACK,
        "serviceCode": "8", "serviceType": "PURCHASE", "terminalNumber": 2015, "description": "فاکتور ۱",
    }  # fmt: skip
    return wire.pasargad("purchase", token, **(asked | change))


@pytest.fixture
def started(outer: World, wire: Wire, token: str) -> Ids:
    """What names a payment that was not made yet."""
    return {"invoice": "10000020", "urlId": str(start(wire, token).json["data"]["urlId"])}


@pytest.fixture
def paid(outer: World, started: Ids) -> Ids:
    outer.pay("pasargad", started["urlId"])
    return started


def status(wire: Wire, token: str, invoice: str = "10000020") -> Any:
    return wire.pasargad("payment-inquiry", token, invoiceId=invoice).json["data"]["status"]


def test_a_payment_goes_from_purchase_to_settled(outer: World, wire: Wire, token: str) -> None:
    data = start(wire, token).json["data"]
    assert data["url"] == f"{wire.url}/pasargad/{data['urlId']}"
    page = wire.get(f"/pasargad/{data['urlId']}")
    assert '<button id="pay"' in page.text
    assert "فاکتور ۱" in page.text
    back = wire.post_form("/bank/press", {"gateway": "pasargad", "id": data["urlId"], "do": "pay"})
    row = outer.ledger()[-1]
    told = f"invoiceId=10000020&status=success&referenceNumber={row['receipt']}&trackId={row['trace']}"
    assert (back.status, back.headers["Location"]) == (303, f"{CALLBACK}?{told}")
    asked = wire.pasargad("payment-inquiry", token, invoiceId="10000020").json
    assert (asked["resultCode"], asked["data"]["status"], asked["data"]["amount"]) == (0, 13031, 12_000)
    answer = wire.pasargad("confirm-transactions", token, invoice="10000020", urlId=data["urlId"]).json
    assert (answer["resultCode"], answer["data"]["amount"], answer["data"]["invoice"]) == (0, 12_000, "10000020")
    row = outer.ledger()[-1]
    assert (row["state"], row["receipt"]) == ("settled", answer["data"]["referenceNumber"])
    shown = {asked["data"]["cardNumber"], answer["data"]["maskedCardNumber"], answer["data"]["hashedCardNumber"]}
    assert shown <= set(row["card"]["traces"])


def test_confirm_again_says_that_it_is_done(wire: Wire, token: str, paid: Ids) -> None:
    codes = [wire.pasargad("confirm-transactions", token, **paid).json["resultCode"] for _ in range(2)]
    assert codes == [0, 13029]
    assert status(wire, token) == 13029


def test_without_a_fresh_token_nothing_is_answered(outer: World, wire: Wire, token: str, paid: Ids) -> None:
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    for bad in ("", "a.b.c", changed):
        answer = wire.pasargad("confirm-transactions", bad, **paid)
        assert (answer.status, answer.json["resultCode"]) == (401, 401)
    assert wire.post_json("/pasargad/api/payment/payment-inquiry", {"invoiceId": "1"}).status == 401
    outer.clock(9 * 60)
    assert status(wire, token) == 13031
    outer.clock(61)
    assert wire.pasargad("payment-inquiry", token, invoiceId="10000020").status == 401
    assert status(wire, wire.pasargad_token().json["token"]) == 13033


def test_only_the_merchant_gets_a_token(wire: Wire) -> None:
    assert wire.pasargad_token(password="guess").status == 401
    assert wire.pasargad_token(username="guess").status == 401
    assert len(wire.pasargad_token().json["token"].split(".")) == 3


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": 0}, 13055), ({"amount": True}, 13055), ({"amount": "1.5"}, 13055), ({"terminalNumber": 1}, 13018),
        ({"callbackApi": "portal"}, 13028), ({"invoice": ""}, 13000), ({"invoiceDate": "1405/09/01"}, 13000),
        ({"invoiceDate": "20261122"}, 13000), ({"serviceCode": "1"}, 13000), ({"serviceType": "CHARGE"}, 13000),
    ],
)  # fmt: skip
def test_a_purchase_that_breaks_the_table_is_refused(
    wire: Wire, token: str, change: dict[str, object], code: int
) -> None:
    answer = start(wire, token, **change)
    assert (answer.status, answer.json["resultCode"], "data" in answer.json) == (200, code, False)


def test_an_invoice_number_is_used_once(wire: Wire, token: str, started: Ids) -> None:
    assert start(wire, token).json["resultCode"] == 13003


def test_another_invoice_or_address_confirms_nothing(outer: World, wire: Wire, token: str, paid: Ids) -> None:
    for change in ({"urlId": "none"}, {"invoice": "10000021"}):
        assert wire.pasargad("confirm-transactions", token, **(paid | change)).json["resultCode"] == 13016
    assert wire.pasargad("payment-inquiry", token, invoiceId="10000021").json["resultCode"] == 13016
    assert outer.ledger()[-1]["state"] == "paid"


@pytest.mark.parametrize(("do", "code"), [("cancel", 13045), ("fail", 13022), ("", 13022)])
def test_what_was_not_paid_is_not_confirmed(
    outer: World, wire: Wire, token: str, started: Ids, do: str, code: int
) -> None:
    if do:
        fields = outer.pay("pasargad", started["urlId"], do).fields
        assert fields == {"invoiceId": "10000020", "status": "failed", "referenceNumber": "", "trackId": ""}
    for what in ("confirm", "verify", "reverse"):
        assert wire.pasargad(f"{what}-transactions", token, **started).json["resultCode"] == code
    assert status(wire, token) == code


def test_unconfirmed_money_goes_back_after_ten_minutes(outer: World, wire: Wire, paid: Ids) -> None:
    outer.clock(10 * 60 + 1)
    assert outer.ledger()[-1]["state"] == "reversed"
    token = str(wire.pasargad_token().json["token"])
    assert wire.pasargad("confirm-transactions", token, **paid).json["resultCode"] == 13075
    assert status(wire, token) == 13033


def test_a_verified_payment_can_be_reversed_or_confirmed(outer: World, wire: Wire, token: str, paid: Ids) -> None:
    assert wire.pasargad("reverse-transactions", token, **paid).json["resultCode"] == 13031
    answer = wire.pasargad("verify-transactions", token, **paid).json
    assert (answer["resultCode"], answer["data"]["amount"]) == (0, 12_000)
    assert wire.pasargad("verify-transactions", token, **paid).json["resultCode"] == 13029
    assert outer.ledger()[-1]["state"] == "verified"
    assert wire.pasargad("reverse-transactions", token, **paid).json == {"resultMsg": "Successful", "resultCode": 0}
    assert wire.pasargad("reverse-transactions", token, **paid).json["resultCode"] == 13033
    assert wire.pasargad("confirm-transactions", token, **paid).json["resultCode"] == 13033
    other = {"invoice": "2", "urlId": start(wire, token, invoice="2").json["data"]["urlId"]}
    outer.pay("pasargad", other["urlId"])
    codes = [wire.pasargad(f"{what}-transactions", token, **other).json["resultCode"] for what in ("verify", "confirm")]
    assert codes == [0, 0]
    assert wire.pasargad("reverse-transactions", token, **other).json["resultCode"] == 13046


def test_a_verified_payment_is_confirmed_at_the_deadline(outer: World, wire: Wire, token: str, paid: Ids) -> None:
    wire.pasargad("verify-transactions", token, **paid)
    outer.clock(10 * 60 + 1)
    fresh = str(wire.pasargad_token().json["token"])
    assert wire.pasargad("reverse-transactions", fresh, **paid).json["resultCode"] == 13076
    assert wire.pasargad("confirm-transactions", fresh, **paid).json["resultCode"] == 13029
    assert outer.ledger()[-1]["state"] == "settled"


def test_a_script_can_name_a_code_or_an_amount(outer: World, wire: Wire, token: str, paid: Ids) -> None:
    outer.next("pasargad", "verify", {"code": 13030}, {"code": 401}, {"code": 500}, {"amount": 1_000})
    outer.next("pasargad", "inquiry", {"amount": 2_000})
    outer.next("pasargad", "token", {"code": 401})
    answers = [wire.pasargad("confirm-transactions", token, **paid) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 401, 500, 200]
    assert answers[0].json["resultCode"] == 13030
    assert answers[3].json["data"]["amount"] == 1_000
    assert wire.pasargad("payment-inquiry", token, invoiceId="10000020").json["data"]["amount"] == 2_000
    assert wire.pasargad_token().status == 401
