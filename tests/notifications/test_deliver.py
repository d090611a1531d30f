"""Delivering: once, by whoever claims it, and never guessed."""

import logging
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from notifications import flows
from notifications.channels import Text, TransportError, smtp
from notifications.channels.kavenegar import Kavenegar
from notifications.flows import carrying
from notifications.models import Carrier, Delivery, Event
from tests.notifications.base import due_now, only


def test_both_channels_carry_the_message(dana, tell, joined):
    event = tell(dana, "ticket_opened")
    assert flows.deliver_due() == {"accepted": 2}
    (mail,), (sms,) = joined.mail(), joined.sms()
    way = only(event, "email")
    assert mail["to"] == "dana@example.com" and mail["subject"] == "Ticket 10001: My <b>site</b> is slow"
    assert mail["message_id"] == f"<{way.local_ref}@127.0.0.1>" == way.provider_ref
    assert mail["headers"]["auto-submitted"] == "auto-generated" and mail["headers"]["date"]
    assert "My <b>site</b>" in mail["text"] and "&lt;b&gt;" in mail["html"]
    way = only(event, "sms")
    assert (sms["to"], sms["localid"]) == ("+989121110009", way.local_ref)
    assert way.provider_ref == str(sms["messageid"]) and way.not_before
    assert [(a.n, a.outcome, a.code) for a in way.attempts.all()] == [(1, "accepted", "ok")]


@pytest.mark.parametrize("language", ["fa", "en"])
def test_a_code_goes_by_the_template_of_its_language(dana, tell, joined, language):
    dana.language = language
    event = tell(dana, "phone_code")
    assert flows.deliver_due() == {"accepted": 1}
    (sms,) = joined.sms()
    assert sms["template"] == f"phone-code-{language}" and "482913" in sms["text"]
    event.refresh_from_db()
    assert event.context == {}, "a code is kept only until the operator has it"


def test_a_link_is_forgotten_once_it_is_handed_over(dana, tell, joined):
    event = tell(dana, "confirm_email")
    flows.deliver_due()
    event.refresh_from_db()
    assert "secret" in joined.mail()[0]["text"] and event.context == {}


def test_delivered_twice_is_once(dana, tell, joined):
    way = only(tell(dana, "password_changed"), "sms")
    assert (flows.deliver(way.pk), flows.deliver(way.pk)) == ("accepted", None)
    assert len(joined.sms()) == 1


def test_many_hands_at_once_deliver_once(dana, tell, joined):
    way = only(tell(dana, "phone_code"), "sms")
    start = threading.Barrier(4)

    def hand(_: int) -> str | None:
        start.wait()
        try:
            return flows.deliver(way.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(hand, range(4)))
    assert sorted(filter(None, outcomes)) == ["accepted"] and len(joined.sms()) == 1


def test_the_provider_is_called_outside_any_transaction(dana, tell, joined):
    way = only(tell(dana, "password_changed"), "sms")
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        flows.deliver(way.pk)


# --- nobody there, or a refusal ------------------------------------------------------------------------------------


def test_without_a_mail_server_the_mail_waits(dana, tell, joined, settings):
    way = only(tell(dana, "confirm_email"), "email")
    settings.SMTP = {**settings.SMTP, "port": 1}
    assert flows.deliver(way.pk) == "queued"
    way.refresh_from_db()
    assert (way.tries, way.last_code) == (1, "smtp-connect") and way.recipient == "dana@example.com"
    settings.SMTP = {**settings.SMTP, "port": joined.smtp_port}
    assert flows.deliver(way.pk) is None, "not before its time"
    assert flows.deliver(due_now(way).pk) == "accepted"
    assert len(joined.mail()) == 1


def test_without_the_operator_the_sms_waits(dana, tell, joined, settings):
    way = only(tell(dana, "phone_code"), "sms")
    settings.KAVENEGAR = {**settings.KAVENEGAR, "api_url": "http://127.0.0.1:1"}
    assert flows.deliver(way.pk) == "queued"


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [("x@refused.example", "undelivered", "smtp-550"), ("x@busy.example", "queued", "smtp-451")],
)
def test_a_mail_servers_no_is_final_only_when_it_says_so(dana, tell, joined, address, status, code):
    way = only(tell(dana, "confirm_email", to={"email": address}), "email")
    assert flows.deliver(way.pk) == status
    way.refresh_from_db()
    assert way.last_code == code


@pytest.mark.parametrize(
    ("code", "status"),
    [(411, "undelivered"), (413, "parked"), (431, "parked"), (409, "queued"), (403, "queued")],
)
def test_each_answer_of_the_operator_has_its_consequence(dana, tell, joined, code, status):
    way = only(tell(dana, "password_changed"), "sms")
    joined.next("kavenegar", "send", {"code": code})
    assert flows.deliver(way.pk) == status
    way.refresh_from_db()
    assert way.last_code == str(code)


def test_after_many_tries_a_person_must_look_and_can_put_it_back(dana, tell, joined):
    way = only(tell(dana, "password_changed"), "sms")
    Delivery.objects.filter(pk=way.pk).update(tries=carrying.TRIES_AT_MOST - 1)
    joined.next("kavenegar", "send", {"code": 409})
    assert flows.deliver(way.pk) == "parked"
    assert flows.deliver(due_now(way).pk) is None
    way.refresh_from_db()
    assert way.send_again(in_new_words=False) and flows.deliver(way.pk) == "accepted"


def test_waits_are_random_under_a_bound_that_grows(dana, tell, joined):
    joined.next("kavenegar", "send", *[{"code": 409}] * 8)
    way, waits = only(tell(dana, "password_changed"), "sms"), []
    for _ in range(8):
        Carrier.objects.update(failures=0)  # or it would be left alone by now
        assert flows.deliver(way.pk) == "queued"
        way.refresh_from_db()
        waits.append((way.not_before - way.attempts.latest("finished_at").finished_at).total_seconds())
        due_now(way)
    assert all(0 <= wait <= 10 * 2**n for n, wait in enumerate(waits)) and max(waits) > 20
    assert carrying.again(Delivery(tries=100, lane="money", channel="sms"), "409").wait <= 30 * 60


def test_words_that_cannot_be_written_hold_up_nothing_else(dana, tell, joined, caplog):
    broken = tell(dana, "invoice_issued", context={"number": "x", "total": "canary-total"})
    sound = tell(dana, "password_changed")
    flows.deliver_due()
    assert only(broken, "email").status == "parked" and only(broken, "email").last_code == "words"
    assert only(sound, "email").status == "accepted"
    assert "canary-total" not in caplog.text


# --- an answer was lost --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["timeout_after_commit", "truncated"])
def test_an_sms_whose_answer_was_lost_is_looked_up_and_not_doubled(dana, tell, joined, step):
    way = only(tell(dana, "password_changed"), "sms")
    joined.next("kavenegar", "send", step)
    assert flows.deliver(way.pk) == "unknown"
    assert flows.deliver(way.pk) is None, "the operator's books need a moment"
    assert flows.deliver(due_now(way).pk) == "accepted"
    way.refresh_from_db()
    (sms,) = joined.sms()
    assert way.provider_ref == str(sms["messageid"])
    assert [a.outcome for a in way.attempts.all()] == ["unknown", "accepted"]


@pytest.mark.parametrize("step", ["timeout", "500", "html"])
def test_an_sms_that_the_operator_does_not_know_is_sent_again(dana, tell, joined, step):
    way = only(tell(dana, "password_changed"), "sms")
    joined.next("kavenegar", "send", step)
    assert flows.deliver(way.pk) == "unknown"
    assert flows.deliver(due_now(way).pk) == "queued"
    assert flows.deliver(due_now(way).pk) == "accepted"
    assert len(joined.sms()) == 1


def test_a_look_up_that_fails_is_only_asked_again(dana, tell, joined):
    way = only(tell(dana, "password_changed"), "sms")
    joined.next("kavenegar", "send", "timeout_after_commit")
    joined.next("kavenegar", "statuslocal", "500")
    flows.deliver(way.pk)
    assert flows.deliver(due_now(way).pk) == "unknown"
    assert flows.deliver(due_now(way).pk) == "accepted" and len(joined.sms()) == 1


def test_a_code_whose_answer_was_lost_is_never_sent_twice(dana, tell, joined):
    event = tell(dana, "phone_code")
    way = only(event, "sms")
    joined.next("kavenegar", "lookup", "timeout_after_commit")
    assert flows.deliver(way.pk) == "unknown"
    assert not flows.sweep() and not flows.deliver_due()
    expire(event)
    assert flows.tidy() == {"expired": 1} and len(joined.sms()) == 1
    event.refresh_from_db()
    assert event.context == {} and only(event, "sms").status == "expired"


def test_a_mail_whose_answer_was_lost_goes_again_under_its_own_id(dana, tell, joined, monkeypatch):
    monkeypatch.setattr(smtp, "TIMEOUT", 1)
    way = only(tell(dana, "confirm_email"), "email")
    joined.next("smtp", "send", "timeout_after_commit")
    assert flows.deliver(way.pk) == "unknown"
    assert flows.deliver(due_now(way).pk) == "accepted"
    first, second = joined.mail()
    assert first["message_id"] == second["message_id"] and first["headers"]["date"] == second["headers"]["date"]


# --- codes are never late ------------------------------------------------------------------------------------------


def expire(event: Event) -> None:
    Event.objects.filter(pk=event.pk).update(expires_at=event.at)


def test_a_code_is_never_sent_late(dana, tell, joined):
    event = tell(dana, "phone_code")
    expire(event)
    assert flows.deliver(only(event, "sms").pk) is None
    assert only(event, "sms").status == "expired" and not joined.sms()


def test_the_sweep_blanks_a_code_whose_time_ran_out(dana, tell, joined):
    event = tell(dana, "phone_code")
    expire(event)
    assert flows.sweep() == {"expired": 1} and not flows.sweep()
    event.refresh_from_db()
    assert event.context == {} and not joined.sms()


# --- what became of it ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ends", "status"), [(10, "delivered"), (11, "undelivered"), (14, "blocked")])
def test_the_operator_is_asked_what_became_of_it(dana, tell, joined, ends, status):
    way = only(tell(dana, "password_changed"), "sms")
    joined.next("kavenegar", "send", {"ends": ends})
    flows.deliver(way.pk)
    assert not flows.ask_operator(), "not at once"
    joined.clock(60)
    due_now(way)
    assert flows.ask_operator() == {status: 1} and not flows.ask_operator()
    way.refresh_from_db()
    assert way.status == status and bool(way.delivered_at) == (status == "delivered")


def test_what_the_operator_does_not_know_yet_is_asked_later(dana, tell, joined):
    way = only(tell(dana, "password_changed"), "sms")
    flows.deliver(way.pk)
    due_now(way)
    assert flows.ask_operator() == {"accepted": 1}
    way.refresh_from_db()
    assert way.not_before > way.accepted_at


def test_an_operator_that_does_not_answer_changes_nothing(dana, tell, joined):
    way = only(tell(dana, "password_changed"), "sms")
    flows.deliver(way.pk)
    due_now(way)
    joined.next("kavenegar", "status", "500")
    assert not flows.ask_operator()
    way.refresh_from_db()
    assert way.status == "accepted"


# --- what must never be seen ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["timeout", "refuse", "500", "html", "truncated", "huge", {"code": 403}, None])
def test_the_key_is_in_no_error_and_no_log(joined, caplog, step):
    caplog.set_level(logging.DEBUG)
    number, key = f"+98{9121110009}", f"canary-key-{7391}"
    operator = Kavenegar(key, f"{joined.url if step else 'http://127.0.0.1:1'}/kavenegar")
    if step:
        joined.next("kavenegar", "send", step)
    with pytest.raises(TransportError) as caught:
        operator.send_texts([Text(number, "hello", 123)])
    said = "".join(traceback.format_exception(caught.value)) + f"{caught.value!r} {operator!r} {operator} {caplog.text}"
    assert key not in said and number[1:] not in said
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_a_forged_header_is_refused():
    form = smtp.Form(sender="a@example.com", subject="x", text="x", html="x", language="en")
    with pytest.raises(TransportError) as caught:
        form.letter(to="b@example.com\r\nBcc: all@example.com", message_id="<x@x>", at=Event().at)
    assert caught.value.permanent
    with pytest.raises(TransportError):
        smtp.Form(sender="a@example.com", subject="x\r\nBcc: all@example.com", text="x", html="x", language="en")


def test_a_try_stays_as_it_was_written(dana, tell, joined):
    way = only(tell(dana, "password_changed"), "sms")
    flows.deliver(way.pk)
    with pytest.raises(DatabaseError), transaction.atomic():
        way.attempts.update(code="other")
