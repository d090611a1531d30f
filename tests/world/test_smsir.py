"""The second SMS operator as the outside world speaks it (SMS.ir's REST document, v1)."""

import json
import time
from typing import Any

import pytest

from tests.world.wire import Answer, Wire
from tests.world_client import World

MOBILE = "09121234567"
LINE = 30004505000017
CODE = {"mobile": MOBILE, "templateId": 123456, "parameters": [{"name": "Code", "value": "12345"}]}
BULK = {"lineNumber": LINE, "messageText": "سلام", "mobiles": [MOBILE, "+989351234567"], "sendDateTime": None}


def call(wire: Wire, method: str, path: str, fields: object = None, key: str = "test-key") -> Answer:
    headers = {"X-API-KEY": key, "Content-Type": "application/json"}
    return wire.call(method, f"/smsir/v1/{path}", json.dumps(fields).encode(), headers=headers)


def said(answer: Answer) -> tuple[int, int]:
    return answer.status, int(answer.json["status"])


def report(wire: Wire, id: int) -> dict[str, Any]:
    return dict(call(wire, "GET", f"send/{id}").json["data"])


def test_a_template_is_filled_and_arrives(outer: World, wire: Wire) -> None:
    answer = call(wire, "POST", "send/verify", CODE)
    assert (answer.status, answer.json["status"], answer.json["message"]) == (200, 1, "موفق")
    assert answer.json["data"].keys() == {"messageId", "cost"}
    (kept,) = outer.sms()
    assert (kept["operator"], kept["to"], kept["text"]) == ("smsir", MOBILE, "کد تایید شما: 12345")
    assert (kept["template"], kept["localid"]) == ("123456", None)
    first = report(wire, answer.json["data"]["messageId"])
    assert (first["deliveryState"], first["deliveryDateTime"], first["mobile"]) == (3, None, 9121234567)
    outer.clock(5)
    last = report(wire, answer.json["data"]["messageId"])
    assert last["deliveryState"] == 1
    assert last["deliveryDateTime"] >= last["sendDateTime"]


def test_many_are_sent_in_the_order_asked_for(outer: World, wire: Wire) -> None:
    data = call(wire, "POST", "send/bulk", BULK).json["data"]
    assert [report(wire, id)["mobile"] for id in data["messageIds"]] == [9121234567, 9351234567]
    assert (data["cost"], len(data["packId"])) == (2.0, 36)
    assert report(wire, data["messageIds"][0])["deliveryState"] is None
    assert [kept["messageid"] for kept in outer.sms()] == data["messageIds"]


def test_names_may_have_a_capital_as_the_document_writes_them(wire: Wire) -> None:
    asked = {name[0].upper() + name[1:]: value for name, value in CODE.items()}
    asked["Parameters"] = [{"Name": "CODE", "Value": "1"}]
    assert said(call(wire, "POST", "send/verify", asked)) == (200, 1)


def test_what_is_sent_twice_arrives_twice(outer: World, wire: Wire) -> None:
    for _ in range(2):
        call(wire, "POST", "send/verify", CODE)
    assert (len(outer.sms()), outer.sms_summary()["doubles"]) == (2, 1)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"mobile": "0912123456"}, 104), ({"mobile": 9121234567}, 104), ({"templateId": 7}, 113),
        ({"templateId": "123456"}, 113), ({"parameters": []}, 116), ({"parameters": None}, 16),
        ({"parameters": [{"name": "Code", "value": "1" * 26}]}, 114),
        ({"parameters": [{"name": "Name", "value": "1"}]}, 116), ({"mobile": "09990150001"}, 115),
    ],
)  # fmt: skip
def test_verify_answers_with_the_documents_status(
    outer: World, wire: Wire, change: dict[str, Any], expected: int
) -> None:
    assert said(call(wire, "POST", "send/verify", CODE | change)) == (400, expected)
    assert outer.sms() == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"lineNumber": "me"}, 101), ({"messageText": " "}, 103), ({"mobiles": []}, 107),
        ({"mobiles": [MOBILE] * 101}, 105), ({"mobiles": [MOBILE, "12"]}, 104), ({"sendDateTime": 1_628_683_626}, 109),
        ({"mobiles": [MOBILE, "09990150001"]}, 115),
    ],
)  # fmt: skip
def test_bulk_answers_with_the_documents_status(
    outer: World, wire: Wire, change: dict[str, Any], expected: int
) -> None:
    assert said(call(wire, "POST", "send/bulk", BULK | change)) == (400, expected)
    assert outer.sms() == []


def test_a_wrong_key_no_json_and_an_unknown_message_are_refused(wire: Wire) -> None:
    assert said(call(wire, "GET", "credit", key="wrong-key")) == (401, 10)
    assert said(wire.call("GET", "/smsir/v1/credit")) == (401, 10)
    assert said(call(wire, "POST", "send/verify", [1])) == (400, 16)
    assert said(call(wire, "GET", "send/1")) == (400, 111)


def test_one_operator_does_not_know_the_messages_of_the_other(wire: Wire) -> None:
    id = wire.kavenegar("sms/send", receptor=MOBILE, message="x").json["entries"][0]["messageid"]
    assert said(call(wire, "GET", f"send/{id}")) == (400, 111)
    own = call(wire, "POST", "send/verify", CODE).json["data"]["messageId"]
    assert wire.kavenegar("sms/status", messageid=own).json["entries"][0]["status"] == 100


def test_a_spent_account_sends_nothing(outer: World, wire: Wire) -> None:
    outer.smsir_credit(2)
    assert call(wire, "GET", "credit").json["data"] == 2.0
    assert said(call(wire, "POST", "send/bulk", BULK | {"messageText": "س" * 71})) == (400, 102)
    assert said(call(wire, "POST", "send/bulk", BULK)) == (200, 1)
    assert said(call(wire, "POST", "send/verify", CODE)) == (400, 102)
    assert call(wire, "GET", "credit").json["data"] == 0.0


def test_a_later_message_waits_and_odd_phones_end_as_their_number_says(outer: World, wire: Wire) -> None:
    asked = BULK | {"mobiles": ["09990110001", "09990060001", "09990140001"]}
    later = call(wire, "POST", "send/bulk", asked | {"sendDateTime": int(time.time()) + 7200}).json["data"]
    ids = call(wire, "POST", "send/bulk", asked).json["data"]["messageIds"]
    ids += [call(wire, "POST", "send/verify", CODE | {"mobile": "09990140001"}).json["data"]["messageId"]]
    outer.clock(5)
    assert [report(wire, id)["deliveryState"] for id in ids] == [2, 6, 7, 1]
    assert report(wire, later["messageIds"][0])["deliveryState"] is None


def test_scripts_refuse_end_badly_or_lose_the_answer(outer: World, wire: Wire) -> None:
    outer.next("smsir", "verify", {"code": 20}, {"code": 0}, {"code": 13}, "html", {"ends": 8}, "drop_after_commit")
    for expected in ((429, 20), (500, 0), (401, 13)):
        assert said(call(wire, "POST", "send/verify", CODE)) == expected
    assert call(wire, "POST", "send/verify", CODE).text.startswith("<html>")
    assert outer.sms() == []
    id = call(wire, "POST", "send/verify", CODE).json["data"]["messageId"]
    outer.clock(5)
    assert report(wire, id)["deliveryState"] == 8
    with pytest.raises(OSError, match="without response"):
        call(wire, "POST", "send/verify", CODE)
    assert len(outer.sms()) == 2


def test_the_phone_on_the_desk_shows_both_operators(wire: Wire) -> None:
    call(wire, "POST", "send/verify", CODE)
    wire.kavenegar("sms/send", receptor=MOBILE, message="x")
    page = wire.get("/").text
    assert ">smsir<" in page
    assert ">kavenegar<" in page
