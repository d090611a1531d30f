"""The operator's voice: only for an approved call, fixed words alone, handed over once."""

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from accounts.models import Customer
from notifications import flows, spoken
from notifications.models import CallTask, VoiceCall
from tests.base import make_customer
from tests.notifications.base import Relay, within

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def staff(transactional_db) -> tuple[Customer, Customer]:
    return tuple(
        make_customer(f"staff{n}@example.com", f"+98912111005{n}", language="en", is_staff=True) for n in (1, 2)
    )


@pytest.fixture
def task(dana, staff) -> CallTask:
    """Approved."""
    task = flows.ask_for_call(customer=dana, number="mobile", reason="service_down", why="Canary words", by=staff[0])
    flows.approve_call(task=task, by=staff[1])
    return task


def voice_of(task: CallTask) -> VoiceCall:
    return VoiceCall.objects.select_related("task").get(task=task)


def time_passes(task: CallTask, span: dt.timedelta = HOUR) -> None:
    VoiceCall.objects.filter(task=task).update(since=Now() - span, ask_at=Now())


def calls(joined) -> list[dict]:
    return [text for text in joined.sms() if text["kind"] == "call"]


def test_the_operator_calls_and_what_came_of_it_is_written_down(task, staff, joined):
    assert flows.start_voice_call(task=task, by=staff[0])
    (call,) = calls(joined)
    voice = voice_of(task)
    assert (call["to"], call["localid"]) == ("+989121110009", voice.local_ref) and voice.status == "accepted"
    joined.clock(10)
    time_passes(task, dt.timedelta(0))
    assert flows.follow_voice_calls() == 1
    task.refresh_from_db()
    assert (task.status, task.outcome, task.made_by) == ("made", "heard", staff[0])
    assert list(task.events.values_list("step", flat=True)) == [
        *("asked", "approved", "voice_calling", "voice_accepted", "voice_taken", "made")
    ]
    assert flows.follow_voice_calls() == 0


@pytest.mark.parametrize("ends", [6, 11, 13, 14])
def test_a_call_that_nobody_took_is_not_reached(task, staff, joined, ends):
    joined.next("kavenegar", "tts", {"ends": ends})
    flows.start_voice_call(task=task, by=staff[0])
    joined.clock(10)
    time_passes(task, dt.timedelta(0))
    flows.follow_voice_calls()
    task.refresh_from_db()
    assert (task.status, task.outcome) == ("not_reached", "no_answer")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_words_are_the_fixed_ones_of_the_reason(task, staff, dana, joined, language):
    Customer.objects.filter(pk=dana.pk).update(language=language)
    flows.start_voice_call(task=task, by=staff[0])
    (call,) = calls(joined)
    assert call["text"] == spoken.words("service_down", language) and "Canary" not in call["text"]
    assert len(call["text"]) < 300


def test_every_reason_has_its_sentence_but_the_wish_to_talk():
    assert set(spoken.SENTENCES) == set(CallTask.Reason) - {"customer_asked"}


def test_unapproved_nobody_is_called(dana, staff, joined):
    task = flows.ask_for_call(customer=dana, number="mobile", reason="service_down", why="Down", by=staff[0])
    with pytest.raises(flows.CannotCall):
        flows.start_voice_call(task=task, by=staff[1])
    with pytest.raises(IntegrityError, match="only an approved call"), transaction.atomic():
        VoiceCall.objects.create(task=task, called_by=staff[1])
    assert not calls(joined)


def test_who_asked_to_talk_is_called_by_a_person(dana, staff, joined):
    ticket = flows.open_ticket(customer=dana, subject="s", text="Call me")
    ask = {"number": "mobile", "reason": "customer_asked", "why": "Wants to talk"}
    task = flows.ask_for_call(customer=dana, ticket=ticket, by=staff[0], **ask)
    flows.approve_call(task=task, by=staff[1])
    with pytest.raises(flows.CannotCall):
        flows.start_voice_call(task=task, by=staff[0])
    assert not calls(joined)


def test_twice_is_once(task, staff, joined):
    assert (flows.start_voice_call(task=task, by=staff[0]), flows.start_voice_call(task=task, by=staff[1])) == (
        True,
        False,
    )
    assert len(calls(joined)) == 1


def test_many_hands_at_once_call_once(task, staff, joined):
    start = threading.Barrier(4)

    def hand(_: int) -> bool:
        start.wait()
        try:
            return flows.start_voice_call(task=task, by=staff[0])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(hand, range(4))) == [False, False, False, True]
    assert len(calls(joined)) == 1


def test_the_operator_is_asked_outside_any_transaction(task, staff, joined):
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        flows.start_voice_call(task=task, by=staff[0])


def test_while_the_operator_calls_nobody_else_does(task, staff, joined):
    flows.start_voice_call(task=task, by=staff[0])
    with pytest.raises(flows.CannotCall):
        flows.record_outcome(task=task, by=staff[1], outcome="spoken")
    with pytest.raises(flows.CannotCall):
        flows.cancel_call(task=task, by=staff[1])


def test_nobody_claims_that_a_spoken_message_was_taken(task, staff):
    with pytest.raises(flows.CannotCall):
        flows.record_outcome(task=task, by=staff[0], outcome="heard")


# --- refusals and lost answers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [409, 411, 418, 426])
def test_what_the_operator_refuses_may_be_tried_again(task, staff, joined, code):
    joined.next("kavenegar", "tts", {"code": code})
    flows.start_voice_call(task=task, by=staff[0])
    assert (voice_of(task).status, voice_of(task).last_code) == ("failed", str(code)) and not calls(joined)
    assert flows.start_voice_call(task=task, by=staff[1]) and len(calls(joined)) == 1
    assert (voice_of(task).tries, voice_of(task).called_by) == (2, staff[1])


@pytest.mark.parametrize("step", ["timeout_after_commit", "truncated"])
def test_a_lost_answer_is_looked_up_before_anybody_calls_again(task, staff, joined, step):
    joined.next("kavenegar", "tts", step)
    flows.start_voice_call(task=task, by=staff[0])
    assert voice_of(task).status == "unknown"
    assert not flows.start_voice_call(task=task, by=staff[1]), "not while nobody knows"
    assert flows.follow_voice_calls() == 0 and voice_of(task).status == "unknown", "the operator's books need a moment"
    time_passes(task, dt.timedelta(0))
    flows.follow_voice_calls()
    assert voice_of(task).status in ("accepted", "taken") and len(calls(joined)) == 1
    assert voice_of(task).provider_ref == str(calls(joined)[0]["messageid"])


def test_what_the_operator_never_had_may_be_called_again_under_the_same_number(task, staff, joined):
    joined.next("kavenegar", "tts", "timeout")
    flows.start_voice_call(task=task, by=staff[0])
    ref = voice_of(task).local_ref
    time_passes(task, dt.timedelta(0))
    flows.follow_voice_calls()
    assert (voice_of(task).status, voice_of(task).last_code) == ("failed", "not-found")
    assert flows.start_voice_call(task=task, by=staff[0])
    (call,) = calls(joined)
    assert call["localid"] == ref == voice_of(task).local_ref


def test_a_look_up_that_fails_is_only_asked_again(task, staff, joined):
    joined.next("kavenegar", "tts", "timeout_after_commit")
    flows.start_voice_call(task=task, by=staff[0])
    joined.next("kavenegar", "statuslocal", "500")
    time_passes(task, dt.timedelta(0))
    flows.follow_voice_calls()
    assert voice_of(task).status == "unknown"
    time_passes(task, dt.timedelta(0))
    flows.follow_voice_calls()
    assert voice_of(task).status in ("accepted", "taken") and len(calls(joined)) == 1


def test_what_the_operator_forgot_is_over_and_never_called_again(task, staff, joined):
    joined.next("kavenegar", "tts", "timeout")
    flows.start_voice_call(task=task, by=staff[0])
    time_passes(task, dt.timedelta(hours=13))
    flows.follow_voice_calls()
    task.refresh_from_db()
    assert (voice_of(task).status, voice_of(task).last_code, task.status) == ("not_taken", "forgotten", "not_reached")


def test_a_slow_hand_that_lost_its_turn_changes_nothing(task, staff, joined):
    joined.next("kavenegar", "tts", {"code": 409})
    flows.start_voice_call(task=task, by=staff[0])
    slow = voice_of(task)
    joined.next("kavenegar", "tts", "timeout_after_commit")
    flows.start_voice_call(task=task, by=staff[1])
    assert not slow.fail("late") and not slow.accept("kavenegar", "1", Now())
    assert voice_of(task).status == "unknown"


def test_killed_while_the_operator_has_it_it_is_found_and_not_doubled(task, staff, joined, tmp_path):
    """kill -9 while the answer is still on its way."""
    joined.next("kavenegar", "tts", "timeout_after_commit")
    says = (
        "from notifications import flows; from notifications.models import CallTask;"
        " task = CallTask.objects.get(); flows.start_voice_call(task=task, by=task.asked_by)"
    )
    process = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-c", says],
        cwd=settings.BASE_DIR,
        env=Relay(joined, tmp_path).env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert within(20, lambda: calls(joined))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert voice_of(task).status == "calling" and not flows.start_voice_call(task=task, by=staff[0])
    flows.follow_voice_calls()
    assert voice_of(task).status == "calling", "its lease is not over"
    time_passes(task, dt.timedelta(minutes=1))
    joined.clock(10)
    flows.follow_voice_calls()
    time_passes(task, dt.timedelta(0))
    flows.follow_voice_calls()
    task.refresh_from_db()
    assert (task.status, voice_of(task).status) == ("made", "taken") and len(calls(joined)) == 1


# --- more than one company -------------------------------------------------------------------------------------------


def test_a_company_that_only_writes_is_passed_over(task, staff, joined, settings):
    settings.SMS_CARRIERS = ["smsir", "kavenegar"]
    flows.start_voice_call(task=task, by=staff[0])
    assert (voice_of(task).status, voice_of(task).carrier) == ("accepted", "kavenegar") and len(calls(joined)) == 1
    joined.clock(10)
    time_passes(task, dt.timedelta(0))
    assert flows.follow_voice_calls() == 1


def test_where_no_company_speaks_that_is_said(task, staff, joined, settings):
    settings.SMS_CARRIERS = ["smsir"]
    flows.start_voice_call(task=task, by=staff[0])
    assert (voice_of(task).status, voice_of(task).last_code) == ("failed", "no-voice")
