"""SMS.ir, the second company: what it takes, what it answers, and what may never show."""

import logging
import traceback

import pytest

from notifications import channels, flows
from notifications.channels import Fate, Text, TransportError
from notifications.channels.smsir import SmsIr
from notifications.models import Receipt
from tests.notifications.base import due_now, only
from tests.world_client import World

ALICE, BOB = "+989121110001", "+989121110002"


@pytest.fixture
def company(joined: World, settings) -> SmsIr:
    settings.SMS_CARRIERS = ["smsir"]
    (carrier,) = channels.sms_carriers()
    return carrier


def test_one_text_for_many_and_many_texts_go_in_one_call_each(company, joined):
    same = company.send_texts([Text(ALICE, "سلام", 1), Text(BOB, "سلام", 2)])
    different = company.send_texts([Text(ALICE, "one", 3), Text(BOB, "two", 4)])
    sent = [(sms["to"], sms["text"]) for sms in joined.sms()]
    assert sent == [(ALICE, "سلام"), (BOB, "سلام"), (ALICE, "one"), (BOB, "two")]
    assert [s.ref for s in same + different] == [str(sms["messageid"]) for sms in joined.sms()]
    assert {s.state for s in same + different} == {Fate.PENDING}


def test_as_many_as_it_says_go_in_one_call(company, joined):
    assert len(company.send_texts([Text(ALICE, f"{n}", n) for n in range(company.texts_at_most)])) == 100
    with pytest.raises(TransportError) as caught:
        company.send_texts([Text(ALICE, f"{n}", n) for n in range(company.texts_at_most + 1)])
    assert caught.value.code == "105"


def test_a_code_goes_by_the_template_of_its_language(company, joined):
    standing = company.send_code(ALICE, "phone-code-en", "482913")
    (sms,) = joined.sms()
    assert "482913" in sms["text"] and "Yaghout" in sms["text"] and standing.ref == str(sms["messageid"])


def test_a_template_that_nobody_approved_is_for_our_staff(company, joined):
    with pytest.raises(TransportError) as caught:
        company.send_code(ALICE, "phone-code-de", "482913")
    assert caught.value.ours and not caught.value.permanent and not joined.sms()


@pytest.mark.parametrize(
    ("ends", "fate"),
    [
        (1, Fate.DELIVERED), (2, Fate.UNDELIVERED), (3, Fate.PENDING), (4, Fate.UNDELIVERED), (5, Fate.PENDING),
        (6, Fate.UNDELIVERED), (7, Fate.BLOCKED), (8, Fate.PENDING),
    ],
)  # fmt: skip
def test_each_end_has_its_meaning(company, joined, ends, fate):
    joined.next("smsir", "bulk", {"ends": ends})
    (sent,) = company.send_texts([Text(ALICE, "x", 1)])
    joined.clock(3600)
    assert company.standings([sent.ref]) == [(sent.ref, fate, str(ends))]


def test_what_is_on_its_way_or_unknown_says_so(company, joined):
    (sent,) = company.send_texts([Text(ALICE, "x", 1)])
    on_its_way, unknown = company.standings([sent.ref, "424242"])
    assert on_its_way.state == Fate.PENDING and (unknown.state, unknown.code) == (Fate.UNKNOWN_ID, "111")


@pytest.mark.parametrize(
    ("codes", "meaning"),
    [
        ({104}, {"permanent"}),
        ({115}, {"permanent", "blocked"}),
        ({16, 103, 105, 106, 107, 108, 109, 110, 114, 116, 117, 118}, {"permanent", "ours"}),
        ({10, 11, 12, 13, 14, 15, 101, 113, 119, 123, 124}, {"ours"}),
        ({102}, {"ours", "out_of_credit"}),
        ({20}, {"busy"}),
        ({0}, {"maybe_sent"}),
    ],
)
def test_each_code_has_its_meaning(company, joined, codes, meaning):
    for code in codes:
        joined.next("smsir", "bulk", {"code": code})
        with pytest.raises(TransportError) as caught:
            company.send_texts([Text(ALICE, "x", 1)])
        flags = ("permanent", "ours", "maybe_sent", "busy", "out_of_credit", "blocked")
        assert {flag for flag in flags if getattr(caught.value, flag)} == meaning, code
        assert caught.value.code == str(code)
    assert not joined.sms()


def test_nothing_can_be_looked_up_and_nobody_is_called(company):
    assert not company.remembers_local_ids
    for refused in (lambda: company.find([1]), lambda: company.call(ALICE, "x", 1)):
        with pytest.raises(TransportError) as caught:
            refused()
        assert caught.value.permanent and caught.value.ours


def test_its_credit_in_messages_is_told_in_rials(company, joined):
    joined.smsir_credit(70)
    assert company.credit() == 70 * company.unit_rial


@pytest.mark.parametrize("step", ["timeout", "refuse", "500", "html", "truncated", "huge", {"code": 10}, None])
def test_the_key_is_in_no_error_and_no_log(company, joined, caplog, step):
    caplog.set_level(logging.DEBUG)
    text = Text(ALICE, "hel" + "lo", 1)
    if step:
        joined.next("smsir", "bulk", step)
    else:
        company.api_url = "http://127.0.0.1:1"
    with pytest.raises(TransportError) as caught:
        company.send_texts([text])
    said = "".join(traceback.format_exception(caught.value)) + f"{caught.value!r} {company!r} {company} {caplog.text}"
    assert "canary-key-7392" not in said and ALICE[1:] not in said and "hello" not in said


def test_a_message_goes_all_the_way_by_it(company, joined, dana, tell):
    way = only(tell(dana, "password_changed"), "sms")
    assert flows.deliver(way.pk) == "accepted"
    joined.clock(3600)
    due_now(way)
    assert flows.ask_operator() == {"delivered": 1}
    assert Receipt.objects.get().carrier == "smsir"


def test_who_is_on_its_black_list_is_blocked_and_learns_it(company, joined, dana, tell):
    joined.next("smsir", "bulk", {"code": 115})
    way = only(tell(dana, "password_changed"), "sms")
    assert flows.deliver(way.pk) == "blocked"


def test_without_a_look_up_a_lost_answer_is_never_sent_twice(company, joined, dana, tell):
    joined.next("smsir", "bulk", "timeout_after_commit")
    way = only(tell(dana, "password_changed"), "sms")
    assert flows.deliver(way.pk) == "unknown"
    assert not flows.sweep() and len(joined.sms()) == 1
