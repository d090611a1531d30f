"""Kavenegar: many texts in a call, its answers in words of ours, and each of its codes with its meaning."""

import pytest

from notifications import channels
from notifications.channels import Fate, Text, TransportError
from notifications.channels.kavenegar import Kavenegar
from tests.world_client import World

ALICE, BOB = "+989121110001", "+989121110002"


@pytest.fixture
def operator(joined: World) -> Kavenegar:
    (carrier,) = channels.sms_carriers()
    return carrier


def test_one_text_for_many_goes_in_one_call(operator, joined):
    sent = operator.send_texts([Text(ALICE, "سلام", 11), Text(BOB, "سلام", 12)])
    assert [(sms["to"], sms["text"], sms["localid"]) for sms in joined.sms()] == [
        (ALICE, "سلام", 11), (BOB, "سلام", 12),
    ]  # fmt: skip
    assert [standing.ref for standing in sent] == [str(sms["messageid"]) for sms in joined.sms()]
    assert {standing.state for standing in sent} == {Fate.PENDING}


def test_different_texts_go_in_one_call_too(operator, joined):
    texts = [Text(ALICE, "one, \"two\" & 'three'", 21), Text(BOB, "چهار\nپنج", 22)]
    joined.next("kavenegar", "send", "500")  # the other method is not asked
    sent = operator.send_texts(texts)
    assert [(s["to"], s["text"], s["localid"]) for s in joined.sms()] == [tuple(text) for text in texts]
    assert [standing.ref for standing in sent] == [str(sms["messageid"]) for sms in joined.sms()]


def test_one_receiver_gets_the_same_text_for_two_reasons_twice(operator, joined):
    joined.next("kavenegar", "send", {"code": 411})  # a list that names her twice might count as once
    operator.send_texts([Text(ALICE, "same", 31), Text(ALICE, "same", 32)])
    assert [sms["localid"] for sms in joined.sms()] == [31, 32]


def test_as_many_as_it_says_go_in_one_call(operator, joined):
    texts = [Text(ALICE, f"text {n}", 1000 + n) for n in range(operator.texts_at_most)]
    assert len(operator.send_texts(texts)) == len(joined.sms()) == 200


def test_a_number_of_ours_is_sent_once(operator, joined):
    first, again = (operator.send_texts([Text(ALICE, "x", 41), Text(BOB, "y", 42)]) for _ in range(2))
    assert [s.ref for s in first] == [s.ref for s in again] and len(joined.sms()) == 2


def test_many_of_our_numbers_are_looked_up_at_once(operator, joined):
    sent = operator.send_texts([Text(ALICE, "x", 51), Text(BOB, "x", 52)])
    found = operator.find([51, 52, 53])
    assert {number: standing.ref for number, standing in found.items()} == {51: sent[0].ref, 52: sent[1].ref}


@pytest.mark.parametrize(
    ("ends", "fate"),
    [
        (1, Fate.PENDING), (4, Fate.PENDING), (5, Fate.PENDING),
        (6, Fate.UNDELIVERED), (11, Fate.UNDELIVERED), (13, Fate.UNDELIVERED),
        (10, Fate.DELIVERED), (14, Fate.BLOCKED),
    ],
)  # fmt: skip
def test_each_end_has_its_meaning(operator, joined, ends, fate):
    joined.next("kavenegar", "send", {"ends": ends})
    (sent,) = operator.send_texts([Text(ALICE, "x", 61)])
    joined.clock(60)
    assert operator.standings([sent.ref]) == [(sent.ref, fate, str(ends))]


def test_what_it_does_not_know_says_nothing_of_the_message(operator):
    ((_ref, fate, code),) = operator.standings(["424242"])
    assert (fate, code) == (Fate.UNKNOWN_ID, "100")


@pytest.mark.parametrize(
    ("codes", "meaning"),
    [
        ({411}, {"permanent"}),
        ({400, 404, 405, 406, 413, 414, 417, 419, 420, 422, 428, 431, 432, 607}, {"permanent", "ours"}),
        ({401, 403, 407, 412, 416, 424, 426, 427, 429, 430}, {"ours"}),
        ({418}, {"ours", "out_of_credit"}),
        ({409, 451}, {"busy"}),
        ({402, 599}, set()),
    ],
)
def test_each_code_has_its_meaning(operator, joined, codes, meaning):
    for code in codes:
        joined.next("kavenegar", "send", {"code": code})
        with pytest.raises(TransportError) as caught:
            operator.send_texts([Text(ALICE, "x", 71)])
        flags = ("permanent", "ours", "maybe_sent", "busy", "out_of_credit", "blocked")
        assert {flag for flag in flags if getattr(caught.value, flag)} == meaning, code
        assert caught.value.code == str(code)
    assert not joined.sms()


def test_fewer_answers_than_texts_leave_all_of_them_in_doubt(operator, joined):
    one = {"return": {"status": 200, "message": "ok"}, "entries": [{"messageid": 5, "status": 1}]}
    joined.next("kavenegar", "sendarray", {"json": one})
    with pytest.raises(TransportError) as caught:
        operator.send_texts([Text(ALICE, "x", 81), Text(BOB, "y", 82)])
    assert caught.value.maybe_sent


def test_silence_about_a_number_is_no_word_that_it_was_not_sent(operator, joined):
    joined.next("kavenegar", "statuslocal", {"json": {"return": {"status": 200, "message": "ok"}, "entries": []}})
    with pytest.raises(TransportError):
        operator.find([91])


def test_the_credit_is_read_in_rials(operator, joined):
    joined.credit(5_000_000)
    assert operator.credit() == 5_000_000


def test_a_text_is_read_out_on_the_phone(operator, joined):
    standing = operator.call("02188776655", "hello", 95)
    (call,) = joined.sms()
    assert call["kind"] == "call" and call["localid"] == 95 and standing.ref == str(call["messageid"])
