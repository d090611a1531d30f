"""Zibal's gateway as the outside world speaks it (API v1)."""

from datetime import datetime

import pytest

from tests.world.wire import CALLBACK, Wire
from tests.world_client import World


@pytest.fixture
def paid(outer: World, wire: Wire) -> int:
    """The trackId of a payment that was made."""
    track = int(wire.zibal_request().json["trackId"])
    outer.pay("zibal", str(track))
    return track


def test_a_payment_goes_from_request_to_verified(outer: World, wire: Wire) -> None:
    started = wire.zibal_request().json
    assert (started["result"], started["message"]) == (100, "success")
    track = started["trackId"]
    assert 10**13 <= track < 10**14
    page = wire.get(f"/zibal/start/{track}")
    assert '<button id="pay"' in page.text
    assert "فاکتور ۱" in page.text
    back = wire.post_form("/bank/press", {"gateway": "zibal", "id": track, "do": "pay"})
    told = f"trackId={track}&success=1&status=2&orderId=10000021"
    assert (back.status, back.headers["Location"]) == (303, f"{CALLBACK}?{told}")
    answer = wire.zibal("verify", trackId=track).json
    assert (answer["result"], answer["status"], answer["amount"], answer["orderId"]) == (100, 1, 12_000, "10000021")
    assert datetime.fromisoformat(answer["paidAt"]).tzinfo is None
    row = outer.ledger()[-1]
    assert (row["state"], row["order"], row["receipt"]) == ("verified", "10000021", str(answer["refNumber"]))
    assert answer["cardNumber"] in row["card"]["traces"]


def test_verify_again_says_201_and_leaves_the_amount_to_the_inquiry(wire: Wire, paid: int) -> None:
    first = wire.zibal("verify", trackId=paid).json
    assert wire.zibal("verify", trackId=str(paid)).json == {"message": "previously verifed", "result": 201}
    asked = wire.zibal("inquiry", trackId=paid).json
    assert asked.items() >= first.items()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"merchant": "other"}, 102), ({"merchant": None}, 102), ({"amount": 999}, 105), ({"amount": "12.5"}, 105),
        ({"amount": True}, 105), ({"callbackUrl": "portal"}, 106), ({"amount": 2_000_000_001}, 113),
    ],
)  # fmt: skip
def test_a_request_that_breaks_the_table_is_refused(wire: Wire, change: dict[str, object], code: int) -> None:
    answer = wire.zibal_request(**change).json
    assert (answer["result"], "trackId" in answer) == (code, False)


def test_the_public_trial_merchant_works_and_sees_its_own_payments_only(outer: World, wire: Wire, paid: int) -> None:
    track = wire.zibal_request(merchant="zibal").json["trackId"]
    outer.pay("zibal", str(track))
    assert wire.zibal("verify", trackId=paid, merchant="zibal").json["result"] == 203
    assert wire.zibal("verify", trackId=track, merchant="zibal").json["result"] == 100


def test_a_form_is_no_request(wire: Wire) -> None:
    assert wire.post_form("/zibal/v1/request", {"merchant": "zibal"}).status == 415
    assert wire.post_json("/zibal/v1/verify", ["a list"]).status == 400


def test_an_unknown_payment_is_not_found(wire: Wire) -> None:
    assert wire.zibal("verify", trackId=1).json["result"] == 203
    assert wire.zibal("inquiry").json["result"] == 203
    assert wire.get("/zibal/start/1").status == 404


@pytest.mark.parametrize(("do", "status"), [("cancel", 3), ("fail", 5), ("", -1)])
def test_what_was_not_paid_is_not_verified(outer: World, wire: Wire, do: str, status: int) -> None:
    track = str(wire.zibal_request().json["trackId"])
    if do:
        fields = outer.pay("zibal", track, do).fields
        assert fields == {"trackId": track, "success": "0", "status": str(status), "orderId": "10000021"}
    assert wire.zibal("verify", trackId=track).json == {"message": "transaction failed", "result": 202}
    asked = wire.zibal("inquiry", trackId=track).json
    assert (asked["result"], asked["status"], asked["paidAt"], asked["refNumber"]) == (100, status, None, None)


def test_inquiry_finds_a_lost_callback(wire: Wire, paid: int) -> None:
    before = wire.zibal("inquiry", trackId=paid).json
    assert (before["status"], before["amount"], before["verifiedAt"], before["wage"]) == (2, 12_000, None, 0)
    wire.zibal("verify", trackId=paid)
    after = wire.zibal("inquiry", trackId=paid).json
    assert after["status"] == 1
    assert after["createdAt"] <= after["paidAt"] <= after["verifiedAt"]


def test_unverified_money_goes_back(outer: World, wire: Wire, paid: int) -> None:
    outer.clock(30 * 60 + 1)
    assert outer.ledger()[-1]["state"] == "reversed"
    assert wire.zibal("verify", trackId=paid).json["result"] == 202
    assert wire.zibal("inquiry", trackId=paid).json["status"] == 18


def test_a_script_can_name_a_code_or_an_amount(outer: World, wire: Wire, paid: int) -> None:
    outer.next("zibal", "verify", {"code": 103}, {"amount": 1_000})
    outer.next("zibal", "inquiry", {"amount": 2_000})
    outer.next("zibal", "start", {"code": 113})
    assert wire.zibal("verify", trackId=paid).json["result"] == 103
    assert wire.zibal("verify", trackId=paid).json["amount"] == 1_000
    assert wire.zibal("inquiry", trackId=paid).json["amount"] == 2_000
    assert wire.zibal_request().json["result"] == 113
