"""The SMS operator as the outside world speaks it (Kavenegar's REST document)."""

import json
import time

import pytest

from tests.world.wire import Answer, Wire
from tests.world_client import World

MOBILE = "09121234567"


def code(answer: Answer) -> int:
    """`return.status`, which the HTTP status must repeat."""
    status = answer.json["return"]["status"]
    assert answer.status == status
    return int(status)


def test_a_message_is_sent_and_arrives_within_two_seconds(outer: World, wire: Wire) -> None:
    answer = wire.kavenegar("sms/send", receptor=MOBILE, message="فاکتور ۱ صادر شد", localid=41)
    assert answer.json["return"] == {"status": 200, "message": "تایید شد"}
    (entry,) = answer.json["entries"]
    assert entry.keys() == {"messageid", "message", "status", "statustext", "sender", "receptor", "date", "cost"}
    assert (entry["status"], entry["receptor"]) == (1, MOBILE)
    kept = outer.sms()[-1]
    assert (kept["to"], kept["text"], kept["localid"], kept["template"]) == (MOBILE, "فاکتور ۱ صادر شد", 41, None)
    time.sleep(1.1)
    assert wire.kavenegar("sms/status", messageid=entry["messageid"]).json["entries"][0]["status"] == 5
    time.sleep(1)
    assert wire.kavenegar("sms/status", messageid=entry["messageid"]).json["entries"] == [
        {"messageid": entry["messageid"], "status": 10, "statustext": "رسیده به گیرنده"}
    ]


def test_a_localid_seen_before_is_not_sent_again(outer: World, wire: Wire) -> None:
    first = wire.kavenegar("sms/send", receptor=MOBILE, message="one", localid=7).json["entries"][0]
    again = wire.kavenegar("sms/send", receptor=MOBILE, message="two", localid=7).json["entries"][0]
    assert (again["messageid"], again["message"]) == (first["messageid"], "one")
    assert len(outer.sms()) == 1


def test_a_timeout_after_the_message_left_is_healed_by_its_localid(outer: World, wire: Wire) -> None:
    outer.next("kavenegar", "send", "timeout_after_commit")
    path, body = "/kavenegar/v1/test-key/sms/send.json", f"receptor={MOBILE}&message=hi&localid=8".encode()
    with pytest.raises(OSError, match="timed out"):
        wire.call("POST", path, body, 0.5)
    assert code(wire.call("POST", path, body)) == 200
    assert len(outer.sms()) == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"receptor": "0912123456", "message": "x"}, 411), ({"receptor": "۰۹۱۲۱۲۳۴۵۶۷", "message": "x"}, 411),
        ({"receptor": MOBILE, "message": ""}, 413), ({"receptor": MOBILE, "message": "x" * 901}, 413),
        ({"receptor": MOBILE, "message": "x" * 900}, 200), ({"receptor": MOBILE, "message": "😀" * 451}, 413),
        ({"receptor": MOBILE}, 400), ({"receptor": "", "message": "x"}, 406),
        ({"receptor": ",".join([MOBILE] * 201), "message": "x"}, 414),
        ({"receptor": f"{MOBILE},{MOBILE}", "message": "x", "localid": "1"}, 419),
        ({"receptor": MOBILE, "message": "x", "sender": "me"}, 412),
        ({"receptor": MOBILE, "message": "x", "date": "tomorrow"}, 417),
        ({"receptor": MOBILE, "message": "x", "tag": "news"}, 607),
    ],
)  # fmt: skip
def test_send_answers_with_the_documents_code(wire: Wire, fields: dict[str, str], expected: int) -> None:
    answer = wire.kavenegar("sms/send", **fields)
    assert code(answer) == expected
    assert (answer.json["entries"] is None) is (expected != 200)


def test_a_wrong_key_an_unknown_method_and_an_empty_account_are_refused(outer: World, wire: Wire) -> None:
    assert code(wire.kavenegar("sms/send", key="wrong-key", receptor=MOBILE, message="x")) == 403
    assert code(wire.kavenegar("sms/sing")) == 404
    assert code(wire.get("/kavenegar/v1/test-key/sms/sendarray.json")) == 405
    outer.credit(100)
    assert code(wire.kavenegar("sms/send", receptor=MOBILE, message="x")) == 418
    assert wire.kavenegar("account/info").json["entries"]["remaincredit"] == 100
    assert outer.sms() == []


def test_lookup_writes_the_text_from_the_template(outer: World, wire: Wire) -> None:
    answer = wire.kavenegar("verify/lookup", receptor=MOBILE, template="phone-code-fa", token="123456")
    assert answer.json["entries"][0]["status"] == 5
    kept = outer.sms()[-1]
    assert (kept["text"], kept["template"], kept["kind"]) == ("کد تأیید یاقوت: 123456", "phone-code-fa", "sms")
    wire.kavenegar("verify/lookup", receptor=MOBILE, template="phone-code-en", token="654321", type="call")
    assert (outer.sms()[-1]["text"], outer.sms()[-1]["kind"]) == ("Yaghout verification code: 654321", "call")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"template": "sale"}, 424), ({"token": "12 34"}, 431), ({"token": "12_34"}, 431), ({"token": "1" * 101}, 431),
        ({"token": ""}, 406), ({"receptor": "123"}, 411), ({"receptor": "02188776655"}, 200),
        ({"token10": "a b c d e f"}, 200), ({"token10": "a b c d e f g"}, 431), ({"token": "abc", "type": "call"}, 428),
    ],
)  # fmt: skip
def test_lookup_answers_with_the_documents_code(wire: Wire, change: dict[str, str], expected: int) -> None:
    fields = {"receptor": MOBILE, "template": "phone-code-fa", "token": "123456"} | change
    assert code(wire.kavenegar("verify/lookup", **fields)) == expected


def test_sendarray_takes_json_arrays_of_one_length(outer: World, wire: Wire) -> None:
    fields = {"receptor": [MOBILE, "09351234567"], "sender": ["10004346"] * 2, "message": ["a", "b"]}
    written = {name: json.dumps(value) for name, value in fields.items()}
    assert len(wire.kavenegar("sms/sendarray", **written, localmessageids="[11, 12]").json["entries"]) == 2
    assert [(one["to"], one["text"], one["localid"]) for one in outer.sms()] == [
        (MOBILE, "a", 11), ("09351234567", "b", 12),
    ]  # fmt: skip
    assert code(wire.kavenegar("sms/sendarray", **written | {"message": '["a"]'})) == 419
    assert code(wire.kavenegar("sms/sendarray", **written | {"message": "a,b"})) == 400


def test_status_forgets_after_its_hours_and_answers_localid_as_text(outer: World, wire: Wire) -> None:
    id = wire.kavenegar("sms/send", receptor=MOBILE, message="x", localid=9).json["entries"][0]["messageid"]
    outer.clock(60)
    entry = wire.kavenegar("sms/statuslocalmessageid", localid=9).json["entries"][0]
    assert (entry["messageid"], entry["localid"], entry["status"]) == (id, "9", 10)
    outer.clock(12 * 3600)
    assert wire.kavenegar("sms/statuslocalmessageid", localid=9).json["entries"][0]["status"] == 100
    assert wire.kavenegar("sms/status", messageid=f"{id},1").json["entries"][0]["status"] == 10
    outer.clock(36 * 3600)
    assert wire.kavenegar("sms/status", messageid=id).json["entries"][0]["status"] == 100
    assert wire.kavenegar("sms/select", messageid=id).json["entries"][0]["message"] == "x"


def test_a_script_can_end_a_message_badly_or_refuse_it(outer: World, wire: Wire) -> None:
    outer.next("kavenegar", "send", {"ends": 14}, {"code": 451})
    id = wire.kavenegar("sms/send", receptor=MOBILE, message="x").json["entries"][0]["messageid"]
    outer.clock(60)
    assert wire.kavenegar("sms/status", messageid=id).json["entries"][0]["status"] == 14
    assert code(wire.kavenegar("sms/send", receptor=MOBILE, message="x")) == 451


def test_a_scheduled_message_waits(outer: World, wire: Wire) -> None:
    at = int(time.time()) + 600
    assert wire.kavenegar("sms/send", receptor=MOBILE, message="x", date=at).json["entries"][0]["status"] == 2


def test_a_call_answers_an_object_and_the_date_needs_no_key(wire: Wire) -> None:
    assert wire.kavenegar("call/maketts", receptor="02188776655", message="hi").json["entries"]["messageid"] > 0
    assert wire.get("/kavenegar/v1/0/utils/getdate.json").json["entries"]["unixtime"] > 1_700_000_000
