"""Saman's gateway as the outside world speaks it (IPG guide v3.3)."""

import json
import urllib.error
from collections.abc import Callable

import pytest

from tests.world.wire import CALLBACK, Wire
from tests.world_client import World

FIELDS = {
    "MID", "TerminalId", "State", "Status", "RRN", "RefNum", "ResNum", "TraceNo", "Amount", "AffectiveAmount", "Wage",
    "Token", "SecurePan", "HashedCardNumber",
}  # fmt: skip


@pytest.fixture
def paid(outer: World, wire: Wire) -> str:
    """The receipt of a payment that was made."""
    return outer.pay("sep", wire.sep_token().json["token"]).fields["RefNum"]


def test_a_payment_goes_from_token_to_verified_with_the_amount_of_the_order(outer: World, wire: Wire) -> None:
    started = wire.sep_token().json
    assert started["status"] == 1
    callback = outer.pay("sep", started["token"])
    assert (callback.method, callback.url) == ("POST", CALLBACK)
    assert callback.fields.keys() == FIELDS
    assert (callback.fields["State"], callback.fields["Status"], callback.fields["ResNum"]) == ("OK", "2", "10000017")
    answer = wire.sep("Verify", callback.fields["RefNum"]).json
    assert (answer["ResultCode"], answer["Success"]) == (0, True)
    detail = answer["TransactionDetail"]
    assert (detail["OrginalAmount"], detail["AffectiveAmount"], detail["TerminalNumber"]) == (12_000, 12_000, 2015)
    assert detail["RefNum"] == callback.fields["RefNum"]
    assert "ResNum" not in detail
    row = outer.ledger()[-1]
    assert (row["state"], row["order"], row["amount"], row["receipt"]) == (
        "verified", "10000017", 12_000, detail["RefNum"],
    )  # fmt: skip


def test_the_same_receipt_is_confirmed_again_as_a_repeated_request(wire: Wire, paid: str) -> None:
    first, again = wire.sep("Verify", paid).json, wire.sep("Verify", paid).json
    assert [first["ResultCode"], again["ResultCode"]] == [0, 2]
    assert again["TransactionDetail"] == first["TransactionDetail"]


@pytest.mark.parametrize(
    "change",
    [
        {"Amount": 0}, {"Amount": True}, {"Amount": "12,000"}, {"TerminalId": "x"}, {"ResNum": ""},
        {"ResNum": "9" * 51}, {"RedirectUrl": "portal"},
        {"action": "pay"}, {"TokenExpiryInMin": 5}, {"Surprise": "field"},
    ],
)  # fmt: skip
def test_a_token_is_refused_for_what_the_guide_does_not_allow(wire: Wire, change: dict[str, object]) -> None:
    answer = wire.sep_token(**change).json
    assert (answer["status"], answer["errorCode"]) == (-1, "5")


def test_a_form_is_no_token_request_and_a_missing_field_is_refused(wire: Wire) -> None:
    assert wire.post_form("/sep/onlinepg/onlinepg", {"action": "token"}).status == 415
    assert wire.post_json("/sep/onlinepg/onlinepg", {"action": "token"}).json["errorCode"] == "5"


def test_an_order_number_is_used_once_per_terminal(wire: Wire) -> None:
    assert wire.sep_token().json["status"] == 1
    assert wire.sep_token().json["status"] == -1
    assert wire.sep_token(TerminalId="2016").json["status"] == 1


def test_the_pay_page_wants_to_know_where_the_browser_comes_from(wire: Wire) -> None:
    token = wire.sep_token().json["token"]
    form = {"Token": token, "GetMethod": ""}
    assert wire.post_form("/sep/OnlinePG/OnlinePG", form).status == 403
    shown = wire.post_form("/sep/OnlinePG/OnlinePG", form, Referer="http://127.0.0.1:8000/")
    assert shown.status == 200
    for button in ("pay", "cancel", "pay-and-close", "fail"):
        assert f'<button id="{button}"' in shown.text
    assert wire.get(f"/sep/OnlinePG/SendToken?token={token}", Referer="http://127.0.0.1:8000/").status == 200
    assert wire.get("/sep/OnlinePG/SendToken?token=none", Referer="http://127.0.0.1:8000/").status == 404


def test_a_token_is_good_for_twenty_minutes(outer: World, wire: Wire) -> None:
    token = wire.sep_token().json["token"]
    outer.clock(20 * 60 + 1)
    assert wire.get(f"/sep/OnlinePG/SendToken?token={token}", Referer="http://127.0.0.1:8000/").status == 410


def test_pressing_pay_sends_the_browser_back_with_a_form(outer: World, wire: Wire) -> None:
    pressed = {"gateway": "sep", "id": wire.sep_token().json["token"], "do": "pay"}
    back = wire.post_form("/bank/press", pressed)
    assert f'<form id="callback" method="post" action="{CALLBACK}">' in back.text
    assert 'name="SecurePan"' in back.text
    assert wire.post_form("/bank/press", pressed).status == 409


def test_pay_and_close_takes_the_money_and_tells_nobody(outer: World, wire: Wire) -> None:
    token = wire.sep_token().json["token"]
    shown = wire.post_form("/bank/press", {"gateway": "sep", "id": token, "do": "pay-and-close"})
    assert "<form" not in shown.text
    assert outer.ledger()[-1]["state"] == "paid"


@pytest.mark.parametrize(("do", "state", "status"), [("cancel", "CanceledByUser", "1"), ("fail", "Failed", "3")])
def test_no_receipt_comes_without_money(outer: World, wire: Wire, do: str, state: str, status: str) -> None:
    fields = outer.pay("sep", wire.sep_token().json["token"], do).fields
    assert (fields["State"], fields["Status"], fields["RefNum"]) == (state, status, "")
    assert wire.sep("Verify", "").json["ResultCode"] == -2


def test_unverified_money_goes_back_after_half_an_hour(outer: World, wire: Wire, paid: str) -> None:
    outer.clock(29 * 60)
    assert outer.ledger()[-1]["state"] == "paid"
    outer.clock(61)
    assert outer.ledger()[-1]["state"] == "reversed"
    answer = wire.sep("Verify", paid).json
    assert (answer["ResultCode"], answer["Success"], answer["TransactionDetail"]) == (-6, False, None)


def test_reversal_wants_a_verified_payment_and_fifty_minutes(outer: World, wire: Wire, paid: str) -> None:
    assert wire.sep("Reverse", paid).json["ResultCode"] == -2
    wire.sep("Verify", paid)
    outer.clock(49 * 60)
    assert wire.sep("Reverse", paid).json["ResultCode"] == 0
    assert wire.sep("Reverse", paid).json["ResultCode"] == 5
    late = outer.pay("sep", wire.sep_token("2").json["token"]).fields["RefNum"]
    wire.sep("Verify", late)
    outer.clock(50 * 60 + 1)
    assert wire.sep("Reverse", late).json["ResultCode"] == -6


def test_another_terminal_or_receipt_verifies_nothing(wire: Wire, paid: str) -> None:
    assert wire.sep("Verify", paid, terminal=2016).json["ResultCode"] == -105
    assert wire.sep("Verify", paid.swapcase()).json["ResultCode"] == -2


def test_a_part_of_the_amount_cannot_be_asked_for(wire: Wire, paid: str) -> None:
    path = "/sep/verifyTxnRandomSessionkey/ipg/ReverseTransaction"
    assert wire.post_json(path, {"RefNum": paid, "TerminalNumber": 2015, "Amount": 5}).status == 400


def broken_html(wire: Wire, receipt: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        _ = wire.sep("Verify", receipt).json


def silence(wire: Wire, receipt: str) -> None:
    with pytest.raises((TimeoutError, urllib.error.URLError)):
        wire.sep("Verify", receipt, timeout=0.5)


def closed_door(wire: Wire, receipt: str) -> None:
    with pytest.raises((ConnectionError, urllib.error.URLError)):
        wire.sep("Verify", receipt)


def server_error(wire: Wire, receipt: str) -> None:
    assert wire.sep("Verify", receipt).status == 500


def ten_megabytes(wire: Wire, receipt: str) -> None:
    assert len(wire.sep("Verify", receipt).text) > 10_000_000


@pytest.mark.parametrize(
    ("step", "seen", "state"),
    [
        ("timeout_after_commit", silence, "verified"), ("slow_drip", silence, "verified"),
        ("truncated", broken_html, "verified"), ("huge", ten_megabytes, "verified"),
        ("timeout", silence, "paid"), ("refuse", closed_door, "paid"),
        ("500", server_error, "paid"), ("html", broken_html, "paid"),
    ],
)  # fmt: skip
def test_a_scripted_verify_goes_wrong_once(
    outer: World, wire: Wire, paid: str, step: str, seen: Callable[[Wire, str], None], state: str
) -> None:
    outer.next("sep", "verify", step)
    seen(wire, paid)
    assert outer.ledger()[-1]["state"] == state
    assert wire.sep("Verify", paid).json["ResultCode"] == (2 if state == "verified" else 0)


def test_a_script_can_name_a_code_an_amount_or_a_whole_answer(outer: World, wire: Wire, paid: str) -> None:
    outer.next("sep", "verify", {"code": -106}, "ok", {"amount": 1_000}, {"json": ["a list"]})
    answers = [wire.sep("Verify", paid).json for _ in range(4)]
    assert [answer["ResultCode"] for answer in answers[:2]] == [-106, 0]
    assert answers[2]["TransactionDetail"]["OrginalAmount"] == 1_000
    assert answers[3] == ["a list"]
    outer.next("sep", "start", {"code": 12})
    assert wire.sep_token("3").json["errorCode"] == "12"
    with pytest.raises(RuntimeError, match="400"):
        outer.next("sep", "verify", "dance")


def test_each_payment_has_a_canary_card_of_its_own(outer: World, wire: Wire) -> None:
    for order in ("1", "2"):
        fields = outer.pay("sep", wire.sep_token(order).json["token"]).fields
        card = outer.ledger()[-1]["card"]
        assert card["number"].startswith("603799")
        assert len(card["number"]) == 16
        digits = [int(digit) for digit in reversed(card["number"])]
        doubled = [sum(divmod(digit * 2, 10)) if place % 2 else digit for place, digit in enumerate(digits)]
        assert sum(doubled) % 10 == 0
        assert {fields["SecurePan"], fields["HashedCardNumber"]} <= set(card["traces"])
    first, second = outer.ledger()
    assert set(first["card"]["traces"]).isdisjoint(second["card"]["traces"])
