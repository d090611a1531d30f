"""Zarinpal's gateway as the outside world speaks it (web API v4)."""

import pytest

from tests.world.wire import CALLBACK, Wire
from tests.world_client import World


@pytest.fixture
def paid(outer: World, wire: Wire) -> str:
    """The authority of a payment that was made."""
    authority = str(wire.zarinpal_request().json["data"]["authority"])
    outer.pay("zarinpal", authority)
    return authority


def test_a_payment_goes_from_request_to_verified(outer: World, wire: Wire) -> None:
    started = wire.zarinpal_request().json
    assert started["errors"] == []
    authority = started["data"]["authority"]
    assert len(authority) == 36
    page = wire.get(f"/zarinpal/pg/StartPay/{authority}")
    assert '<button id="pay"' in page.text
    assert "فاکتور ۱" in page.text
    back = wire.post_form("/bank/press", {"gateway": "zarinpal", "id": authority, "do": "pay"})
    assert (back.status, back.headers["Location"]) == (303, f"{CALLBACK}?Authority={authority}&Status=OK")
    answer = wire.zarinpal("verify", amount=12_000, authority=authority).json["data"]
    assert answer["code"] == 100
    row = outer.ledger()[-1]
    assert (row["state"], row["order"], row["receipt"]) == ("verified", "10000018", str(answer["ref_id"]))
    assert {answer["card_pan"], answer["card_hash"]} <= set(row["card"]["traces"])


def test_verify_again_says_101_with_the_same_receipt(wire: Wire, paid: str) -> None:
    first = wire.zarinpal("verify", amount=12_000, authority=paid).json["data"]
    again = wire.zarinpal("verify", amount=12_000, authority=paid).json["data"]
    assert (first["code"], again["code"], again["ref_id"]) == (100, 101, first["ref_id"])


def test_errors_turn_data_into_a_list_and_errors_into_an_object(outer: World, wire: Wire, paid: str) -> None:
    answer = wire.zarinpal("verify", amount=11_000, authority=paid).json
    assert answer["data"] == []
    assert answer["errors"]["code"] == -50
    assert outer.ledger()[-1]["state"] == "paid"


@pytest.mark.parametrize("do", ["cancel", "fail", ""])
def test_what_was_not_paid_is_not_verified(outer: World, wire: Wire, do: str) -> None:
    authority = wire.zarinpal_request().json["data"]["authority"]
    if do:
        assert outer.pay("zarinpal", authority, do).fields == {"Authority": authority, "Status": "NOK"}
    answer = wire.zarinpal("verify", amount=12_000, authority=authority).json
    assert answer["errors"]["code"] == -51


@pytest.mark.parametrize(
    "change",
    [
        {"merchant_id": "short"}, {"amount": 999}, {"amount": "12.5"}, {"amount": True}, {"currency": "USD"},
        {"description": ""}, {"callback_url": "portal"}, {"metadata": []},
    ],
)  # fmt: skip
def test_a_request_that_breaks_the_table_is_refused(wire: Wire, change: dict[str, object]) -> None:
    answer = wire.zarinpal_request(**change)
    assert (answer.status, answer.json["errors"]["code"]) == (422, -9)


def test_the_amount_is_in_the_unit_of_the_request(outer: World, wire: Wire) -> None:
    authority = wire.zarinpal_request(amount=1_200, currency="IRT").json["data"]["authority"]
    outer.pay("zarinpal", authority)
    assert outer.ledger()[-1]["amount"] == 12_000
    assert wire.zarinpal("verify", amount=1_200, authority=authority).json["data"]["code"] == 100
    assert wire.zarinpal_request(amount=1_000_000_001).json["errors"]["code"] == -41


def test_another_merchant_or_authority_sees_nothing(wire: Wire, paid: str) -> None:
    other = "7" * 36
    assert wire.zarinpal("verify", amount=12_000, authority=paid, merchant_id=other).json["errors"]["code"] == -53
    assert wire.zarinpal("verify", amount=12_000, authority="A1").json["errors"]["code"] == -54


def test_inquiry_and_the_list_of_unverified_find_a_lost_callback(outer: World, wire: Wire, paid: str) -> None:
    assert wire.zarinpal("inquiry", authority=paid).json["data"]["status"] == "PAID"
    waiting = wire.zarinpal("unVerified").json["data"]["authorities"]
    assert [(one["authority"], one["amount"]) for one in waiting] == [(paid, 12_000)]
    wire.zarinpal("verify", amount=12_000, authority=paid)
    assert wire.zarinpal("inquiry", authority=paid).json["data"]["status"] == "VERIFIED"
    assert wire.zarinpal("unVerified").json["data"]["authorities"] == []


def test_reversal_ends_after_thirty_minutes(outer: World, wire: Wire, paid: str) -> None:
    wire.zarinpal("verify", amount=12_000, authority=paid)
    outer.clock(30 * 60 + 1)
    assert wire.zarinpal("reverse", authority=paid).json["errors"]["code"] == -63
    fresh = wire.zarinpal_request().json["data"]["authority"]
    assert wire.zarinpal("reverse", authority=fresh).json["errors"]["code"] == -61
    outer.pay("zarinpal", fresh)
    wire.zarinpal("verify", amount=12_000, authority=fresh)
    assert wire.zarinpal("reverse", authority=fresh).json["data"]["code"] == 100
    assert wire.zarinpal("inquiry", authority=fresh).json["data"]["status"] == "REVERSED"


def test_unverified_money_goes_back(outer: World, wire: Wire, paid: str) -> None:
    outer.clock(30 * 60 + 1)
    assert outer.ledger()[-1]["state"] == "reversed"
    assert wire.zarinpal("verify", amount=12_000, authority=paid).json["errors"]["code"] == -51


def test_a_script_can_name_a_code(outer: World, wire: Wire, paid: str) -> None:
    outer.next("zarinpal", "verify", {"code": -52})
    outer.next("zarinpal", "start", {"code": -11})
    assert wire.zarinpal("verify", amount=12_000, authority=paid).json["errors"]["code"] == -52
    assert wire.zarinpal_request().json["errors"]["code"] == -11
    assert wire.zarinpal("verify", amount=12_000, authority=paid).json["data"]["code"] == 100
