"""Batches: many rows by few statements and few calls, each once, whatever goes wrong in the middle."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from accounts.models import Customer
from notifications import flows
from notifications.flows import carrying
from notifications.models import Attempt, Delivery, Event
from tests.notifications.base import all_due_now, claimed, due_now, only

pytestmark = pytest.mark.django_db(transaction=True)


def many(customer: Customer, count: int, message: str = "policy_published", *channels: str) -> None:
    """Rows as a broadcast writes them: many of one event's kind, by SQL, to the address in the account."""
    context = {"version": 2, "effective": "2026-12-23T20:30:00+00:00", "url": "http://127.0.0.1:8000/p/"}
    events = [
        Event(customer=customer, message=message, purpose="legal", about=f"n:{n}", key=f"n:{n}", language="en")
        for n in range(count)
    ]
    for event in events:
        event.context = context
    Event.objects.bulk_create(events)
    with connection.cursor() as cursor:
        for channel in channels or ("sms",):
            cursor.execute(
                "INSERT INTO notifications_delivery (id, event_id, reader_id, channel, lane, status, at_account, tries,"
                " lease_by, provider_ref, last_code) SELECT gen_random_uuid(), id, customer_id, %s, 'bulk', 'queued',"
                " true, 0, '', '', '' FROM notifications_event WHERE key LIKE 'n:%%'",
                [channel],
            )


def statuses() -> dict[str, int]:
    return dict(Counter(Delivery.objects.values_list("status", flat=True)))


def test_rows_written_by_sql_have_a_number_of_ours_and_go_to_the_address_in_the_account(dana, joined):
    many(dana, 3, "policy_published", "sms", "email")
    refs = set(Delivery.objects.values_list("local_ref", flat=True))
    assert len(refs) == 6 and all(10**17 <= ref < 10**18 for ref in refs)
    Customer.objects.filter(pk=dana.pk).update(mobile="+989121110099")
    assert flows.drain("bulk") == {"accepted": 6}
    assert {sms["to"] for sms in joined.sms()} == {"+989121110099"}, "as it is when it is sent"
    assert {mail["to"] for mail in joined.mail()} == {"dana@example.com"}
    assert {sms["localid"] for sms in joined.sms()} == set(
        Delivery.objects.filter(channel="sms").values_list("local_ref", flat=True)
    )


def test_a_batch_costs_a_constant_number_of_statements_and_one_call(dana, joined):
    many(dana, 5, "policy_published", "sms", "email")
    flows.drain("bulk")  # what each process learns once: the carriers, the words in force
    Event.objects.all().delete()
    joined.reset()
    many(dana, 190)
    with CaptureQueriesContext(connection) as few:
        flows.drain("bulk")
    assert statuses() == {"accepted": 190}
    Event.objects.all().delete()
    many(dana, 20)
    with CaptureQueriesContext(connection) as fewer:
        flows.drain("bulk")
    assert len(few) == len(fewer) < 30, [query["sql"][:90] for query in few]


def test_different_words_go_in_one_call_too(dana, tell, joined):
    for n in range(3):
        tell(dana, "ticket_answered", about=f"t:{n}", context={"number": str(n), "subject": "x", "url": "http://x/"})
    joined.next("kavenegar", "sendarray", "ok")
    joined.next("kavenegar", "send", {"code": 409})  # would be met by a call for one
    assert flows.drain("tickets") == {"accepted": 6}
    assert len({sms["text"] for sms in joined.sms()}) == 3
    for way in Delivery.objects.filter(channel="sms"):
        (sms,) = [sms for sms in joined.sms() if sms["localid"] == way.local_ref]
        assert str(sms["messageid"]) == way.provider_ref and way.carrier == "kavenegar"


def test_many_workers_at_once_send_each_row_once(dana, joined):
    many(dana, 240, "policy_published", "sms", "email")
    start = threading.Barrier(4)

    def hand(_: int) -> None:
        start.wait()
        try:
            flows.drain("bulk")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(hand, range(4)))
    assert statuses() == {"accepted": 480}
    assert len(joined.sms()) == len({sms["localid"] for sms in joined.sms()}) == 240
    assert len({mail["message_id"] for mail in joined.mail()}) == len(joined.mail()) == 240
    assert Attempt.objects.filter(outcome="accepted", code="ok").count() == 480


def test_a_call_whose_answer_was_lost_is_looked_up_in_one_call_and_not_doubled(dana, joined):
    many(dana, 60)
    joined.next("kavenegar", "sendarray", "timeout_after_commit", {"code": 409})  # nothing is sent a second time
    assert flows.drain("bulk") == {"unknown": 60}
    assert not flows.drain("bulk"), "the operator's books need a moment"
    all_due_now()
    joined.next("kavenegar", "statuslocal", "ok", "500")  # a second call would fail
    assert flows.drain("bulk") == {"accepted": 60} and len(joined.sms()) == 60


def test_a_call_that_never_arrived_is_sent_again_after_the_look_up(dana, joined):
    many(dana, 30)
    joined.next("kavenegar", "sendarray", "timeout")
    flows.drain("bulk")
    all_due_now()
    assert flows.drain("bulk") == {"queued": 30} and not joined.sms()
    all_due_now()
    assert flows.drain("bulk") == {"accepted": 30} and len(joined.sms()) == 30


def test_one_text_that_is_refused_holds_up_no_other(dana, tell, joined):
    many(dana, 40)
    bad = only(tell(dana, "policy_published", to={"sms": "12"}), "sms")
    assert flows.drain("bulk") == {"accepted": 41, "undelivered": 1}
    bad.refresh_from_db()
    assert (bad.status, bad.last_code) == ("undelivered", "411") and len(joined.sms()) == 40


def test_a_letter_that_is_refused_holds_up_no_other(dana, tell, joined):
    for n, address in enumerate(("a@refused.example", "b@busy.example", "c@example.com", "d@example.com")):
        tell(dana, "policy_published", about=f"x:{n}", to={"email": address})
    flows.drain("bulk")
    assert {m["to"] for m in joined.mail()} == {"c@example.com", "d@example.com"}
    found = Delivery.objects.filter(channel="email").order_by("event__about").values_list("status", "last_code")
    assert list(found) == [("undelivered", "smtp-550"), ("queued", "smtp-451"), ("accepted", "ok"), ("accepted", "ok")]


def test_without_a_mail_server_one_letter_of_a_batch_is_tried(dana, joined, settings):
    many(dana, 20, "policy_published", "email")
    settings.SMTP = {**settings.SMTP, "port": 1}
    flows.drain("bulk")
    assert sorted(Delivery.objects.values_list("tries", flat=True)) == [0] * 19 + [1]
    settings.SMTP = {**settings.SMTP, "port": joined.smtp_port}
    all_due_now()
    assert flows.drain("bulk") == {"accepted": 20}


def test_a_worker_that_died_with_a_batch_loses_and_doubles_nothing(dana, joined):
    many(dana, 30)
    ours = Delivery.objects.all()
    batch = ours.to_send().claim(20, "kavenegar", Delivery.LEASE["sms"])
    slug, turn = carrying.choose("sms", "bulk", 20)
    carrying.carry(batch[:20], slug, turn)  # handed over, and dies before it writes anything down
    assert flows.drain("bulk") == {"accepted": 10}, "the others do not wait for it"
    ours.filter(status="sending").update(lease_until=Now() - flows.HINT_LASTS)
    assert flows.tidy() == {"let go": 20}
    assert flows.drain("bulk") == {"accepted": 20} and len(joined.sms()) == 30


def test_a_link_goes_from_our_books_with_the_last_delivery_of_its_event(dana, tell, joined):
    event = tell(dana, "contact_changed")
    flows.drain("money")
    event.refresh_from_db()
    assert statuses() == {"accepted": 2} and "url" not in event.context


def test_who_has_no_address_and_who_was_erased_is_not_sent_to(dana, tell, joined):
    many(dana, 1)
    gone = only(tell(dana, "policy_published"), "email")
    Delivery.objects.filter(pk=gone.pk).update(recipient=None)
    Customer.objects.filter(pk=dana.pk).update(mobile=None)
    flows.drain("bulk")
    assert dict(Delivery.objects.filter(status="suppressed").values_list("channel", "last_code")) == {
        "sms": "no-address",
        "email": "erased",
    }


def test_what_is_out_of_date_is_in_no_batch(dana, joined):
    many(dana, 5)
    Event.objects.update(expires_at=Now())
    assert not flows.drain("bulk") and flows.tidy() == {"expired": 5} and not joined.sms()


def test_what_waited_longest_goes_first(dana, joined):
    many(dana, 10)
    last = Delivery.objects.first()
    due_now(last)
    (first,) = Delivery.objects.to_send().claim(1, "kavenegar", Delivery.LEASE["sms"])
    assert first.pk != last.pk and not claimed(first)
