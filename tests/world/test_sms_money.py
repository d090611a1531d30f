"""What both SMS operators do with the account's money, and with phones that never answer well."""

import time

import pytest

from tests.world.wire import Wire
from tests.world_client import World

MOBILE = "09121234567"
PART = 1_500  # Rials of one part at Kavenegar


def left(wire: Wire) -> int:
    return int(wire.kavenegar("account/info").json["entries"]["remaincredit"])


def kavenegar_status(wire: Wire, messageid: int) -> int:
    return int(wire.kavenegar("sms/status", messageid=messageid).json["entries"][0]["status"])


def test_what_is_sent_is_paid_and_a_known_localid_is_not_paid_again(outer: World, wire: Wire) -> None:
    outer.credit(10 * PART)
    for _ in range(2):
        wire.kavenegar("sms/send", receptor=MOBILE, message="x", localid=1)
    assert left(wire) == 9 * PART
    assert wire.kavenegar("sms/send", receptor=f"{MOBILE},{MOBILE}", message="y", localid="2,2").status == 200
    assert (left(wire), len(outer.sms())) == (8 * PART, 2)
    assert outer.sms_summary()["repeats"] == 2


def test_an_account_that_cannot_pay_for_all_sends_none(outer: World, wire: Wire) -> None:
    outer.credit(2 * PART)
    refused = wire.kavenegar("sms/send", receptor=",".join([MOBILE] * 3), message="x", localid="1,2,3")
    assert refused.json["return"]["status"] == 418
    assert (left(wire), outer.sms()) == (2 * PART, [])
    outer.credit(3 * PART)
    assert wire.kavenegar("sms/send", receptor=",".join([MOBILE] * 3), message="x", localid="1,2,3").status == 200
    assert left(wire) == 0


@pytest.mark.parametrize(
    ("receptor", "ends", "comes_back"),
    [("09990110001", 11, 0), ("09990060001", 6, 0), ("+989990140001", 14, PART), ("9990150001", 14, PART)],
)
def test_an_odd_phone_ends_as_its_number_says_and_what_was_not_sent_costs_nothing(
    outer: World, wire: Wire, receptor: str, ends: int, comes_back: int
) -> None:
    outer.credit(10 * PART)
    id = wire.kavenegar("sms/send", receptor=receptor, message="x").json["entries"][0]["messageid"]
    assert (kavenegar_status(wire, id), left(wire)) == (1, 9 * PART)
    outer.clock(5)
    assert (kavenegar_status(wire, id), left(wire)) == (ends, 9 * PART + comes_back)
    outer.credit(4 * PART)
    assert left(wire) == 4 * PART


def test_a_script_may_block_any_phone_and_its_cost_comes_back(outer: World, wire: Wire) -> None:
    outer.credit(10 * PART)
    outer.next("kavenegar", "sendarray", {"ends": 14})
    fields = {"receptor": f'["{MOBILE}"]', "sender": '["10004346"]', "message": '["x"]'}
    wire.kavenegar("sms/sendarray", **fields)
    outer.clock(5)
    assert left(wire) == 10 * PART


def test_a_template_reaches_who_refuses_advertising_but_not_the_black_list(outer: World, wire: Wire) -> None:
    for receptor, ends in (("09990140001", 10), ("09990150001", 14)):
        asked = {"receptor": receptor, "template": "phone-code-fa", "token": "123456"}
        id = wire.kavenegar("verify/lookup", **asked).json["entries"][0]["messageid"]
        outer.clock(5)
        assert kavenegar_status(wire, id) == ends


def test_a_call_is_remembered_by_its_localid_and_can_wait(outer: World, wire: Wire) -> None:
    asked = {"receptor": MOBILE, "message": "کد شما ۱۲۳", "localid": 77, "date": int(time.time()) + 600}
    first, again = (wire.kavenegar("call/maketts", **asked).json["entries"] for _ in range(2))
    assert first["messageid"] == again["messageid"]
    assert (first["status"], first["date"]) == (2, asked["date"])
    assert [(text["kind"], text["localid"]) for text in outer.sms()] == [("call", 77)]
    assert wire.kavenegar("call/maketts", **asked | {"date": "soon"}).json["return"]["status"] == 417


def test_two_hundred_at_once_answer_in_the_order_asked_for(wire: Wire) -> None:
    numbers = [f"0912{place * 7919 % 10_000_000:07d}" for place in range(200)]
    ids = ",".join(str(1000 + place) for place in range(200))
    entries = wire.kavenegar("sms/send", receptor=",".join(numbers), message="x", localid=ids).json["entries"]
    assert [entry["receptor"] for entry in entries] == numbers


@pytest.mark.parametrize("code", [401, 403, 407, 409, 424, 426, 429, 451, 501])
def test_a_script_answers_with_any_code_of_the_document(outer: World, wire: Wire, code: int) -> None:
    outer.next("kavenegar", "send", {"code": code})
    answer = wire.kavenegar("sms/send", receptor=MOBILE, message="x")
    assert (answer.status, answer.json["return"]["status"], answer.json["entries"]) == (code, code, None)
    assert answer.json["return"]["message"] != "خطا"
    assert outer.sms() == []
