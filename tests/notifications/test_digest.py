"""Answers in one message: nothing lost, nothing doubled, wherever the sweep dies."""

import contextlib
import datetime as dt
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Company, Customer, Membership
from notifications import flows, privacy
from notifications.messages import render
from notifications.models import Delivery, Event, Preference
from notifications.progress import label
from tests.notifications.base import Relay, only, within


def gather(reader: Customer) -> None:
    Preference.objects.update_or_create(reader=reader, defaults={"digest": True})


def hour_comes() -> None:
    """It is nine or five."""
    Delivery.objects.gathered().update(not_before=timezone.now())


def answers(tell, customer, *numbers: str) -> list[Event]:
    words = [{"number": n, "subject": f"About {n}", "url": "http://x/"} for n in numbers]
    return [tell(customer, "ticket_answered", about=f"ticket:{i}", context=c) for i, c in enumerate(words)]


def digests() -> list[Event]:
    return list(Event.objects.filter(message="ticket_digest"))


def test_answers_of_a_day_become_one_message(alice, tell):
    gather(alice)
    told = answers(tell, alice, "10001", "10002", "10001")
    assert set(Delivery.objects.values_list("status", flat=True)) == {"gathered"}
    assert flows.send_digests() == 0, "not before its hour"
    hour_comes()
    assert flows.send_digests() == 1
    (digest,) = digests()
    email, sms = render(digest, "email"), render(digest, "sms")
    assert email.subject == "3 answers to your tickets" and "10001: About 10001" in email.text
    assert sms.text == "Yaghout: 3 answers to your tickets. Numbers 10001, 10002. They stand in the portal."
    assert {(way.channel, way.recipient) for way in digest.deliveries.all()} == {
        ("email", "alice@example.com"),
        ("sms", "+989121110001"),
    }
    assert {way.status for event in told for way in event.deliveries.all()} == {"digested"}


def test_twice_is_once(alice, tell):
    gather(alice)
    answers(tell, alice, "10001")
    hour_comes()
    assert (flows.send_digests(), flows.send_digests()) == (1, 0) and len(digests()) == 1


def test_the_sweep_sends_it(dana, tell, joined):
    Preference.objects.update(digest=True)
    answers(tell, dana, "10001")
    hour_comes()
    assert flows.tidy() == {"digests": 1}
    Delivery.objects.filter(event__message="ticket_digest").update(not_before=timezone.now())
    flows.deliver_due()
    (sms,), (mail,) = joined.sms(), joined.mail()
    assert "1 answer" in sms["text"] and "About" not in sms["text"] and "About 10001" in mail["text"]


def test_many_tickets_still_make_a_short_sms(bob, tell):
    gather(bob)
    answers(tell, bob, *(str(10_000 + n) for n in range(12)))
    hour_comes()
    flows.send_digests()
    words = render(digests()[0], "sms").text
    assert "۱۰۰۰۴" in words and "۱۰۰۰۵" not in words and len(words) <= 134


def test_each_answer_stands_in_messages_and_in_the_ticket_at_once(alice, carol, alice_client):
    gather(alice)
    ticket = flows.open_ticket(customer=alice, subject="Slow", text="Since Monday")
    flows.answer_ticket(ticket=ticket, author=carol, text="Mended")
    page = alice_client.get("/messages/").content.decode()
    assert "Answer to ticket" in page and page.count("Waits for your summary") == 2
    assert "Mended" in alice_client.get(ticket.get_absolute_url()).content.decode()
    hour_comes()
    flows.send_digests()
    page = alice_client.get("/messages/").content.decode()
    assert "1 answer to your tickets" in page and page.count("In your summary") == 2


def test_only_answers_are_gathered(alice, tell):
    gather(alice)
    for message in ("ticket_opened", "ticket_closed", "invoice_issued", "phone_code"):
        assert {way.status for way in tell(alice, message).deliveries.all()} == {"queued"}


def test_the_database_gathers_nothing_but_tickets(alice, tell):
    event = tell(alice, "invoice_issued")
    with pytest.raises(IntegrityError), transaction.atomic():
        event.deliveries.update(status="gathered")


def test_without_the_wish_nothing_is_gathered(alice, tell):
    (event,) = answers(tell, alice, "10001")
    assert only(event, "sms").status == "queued"
    hour_comes()
    assert flows.send_digests() == 0


def test_who_wants_no_digest_any_more_gets_at_once_what_was_gathered(alice, tell):
    gather(alice)
    answers(tell, alice, "10001")
    flows.change_preferences(reader=alice, quiet_from=dt.time(5), quiet_until=dt.time(5), digest=False)
    assert flows.send_digests() == 1
    (event,) = answers(tell, alice, "10002")[-1:]
    assert event.about == "ticket:0" and len(digests()) == 1


def test_a_missing_mobile_is_a_recorded_reason_and_the_mail_is_gathered(alice, tell):
    gather(alice)
    Customer.objects.filter(pk=alice.pk).update(mobile=None)
    alice.refresh_from_db()
    (event,) = answers(tell, alice, "10001")
    assert (only(event, "sms").status, only(event, "email").status) == ("suppressed", "gathered")
    hour_comes()
    flows.send_digests()
    assert only(digests()[0], "sms").last_code == "no-address" and only(digests()[0], "email").status == "queued"


def test_the_page_of_an_answer_says_where_it_went(alice, alice_client, tell):
    gather(alice)
    (event,) = answers(tell, alice, "10001")
    page = alice_client.get(f"/messages/{event.pk}/").content.decode()
    assert label(only(event, "sms")) in page and "the next one brings it" in page


# --- a company's people ----------------------------------------------------------------------------------------------


@pytest.fixture
def atlas(alice: Customer, bob: Customer) -> Customer:
    customer = Customer.objects.create(kind=Customer.Kind.COMPANY, name="Atlas Co", language="en")
    company = Company.objects.create(customer=customer, national_id="10380284790", registration_number="12345")
    for person in (alice, bob):
        Membership.objects.create(company=company, person=person, role="technical")
    return customer


def test_of_a_company_one_gathers_and_a_colleague_hears_at_once(atlas, alice, bob, tell):
    gather(alice)
    (event,) = answers(tell, atlas, "10001")
    ways = {way.reader_id: way.status for way in event.deliveries.filter(channel="email")}
    assert ways == {alice.pk: "gathered", bob.pk: "queued"}
    hour_comes()
    flows.send_digests()
    assert {way.reader_id for way in digests()[0].deliveries.all()} == {alice.pk}


def test_her_own_tickets_and_her_companys_come_apart(atlas, alice, tell):
    gather(alice)
    for customer in (atlas, alice):
        tell(customer, "ticket_answered", about="t", key=str(customer.pk))
    hour_comes()
    assert flows.send_digests() == 2
    assert {event.customer_id for event in digests()} == {atlas.pk, alice.pk}


def test_who_left_the_company_hears_of_its_tickets_no_more(atlas, alice, tell):
    gather(alice)
    (event,) = answers(tell, atlas, "10001")
    Membership.objects.filter(person=alice).delete()
    hour_comes()
    assert flows.send_digests() == 0 and not digests()
    assert set(event.deliveries.filter(reader=alice).values_list("status", "last_code")) == {
        ("suppressed", "no-reader")
    }


def test_the_erased_get_no_digest(alice, tell):
    gather(alice)
    (event,) = answers(tell, alice, "10001")
    privacy.erase(alice)
    assert flows.send_digests() == 0 and not Preference.objects.exists()
    assert {(way.status, way.last_code) for way in event.deliveries.all()} == {("suppressed", "erased")}


# --- kill -9 ---------------------------------------------------------------------------------------------------------

LOCK = 7391
POINTS = {
    "before the message is written": "BEFORE INSERT ON notifications_event",
    "before its deliveries are written": "BEFORE INSERT ON notifications_delivery",
    "before the answers are marked": "BEFORE UPDATE ON notifications_delivery",
    "when all but the commit is done": "AFTER UPDATE ON notifications_delivery DEFERRABLE INITIALLY DEFERRED",
}


@contextlib.contextmanager
def held_at(point: str) -> Iterator[None]:
    """Whoever comes to this point of the database waits there until the block ends."""
    kind = "CONSTRAINT TRIGGER" if "DEFERRABLE" in point else "TRIGGER"
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION held() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN PERFORM pg_advisory_xact_lock({LOCK}); RETURN NEW; END $$"
        )
        cursor.execute(f"CREATE {kind} held {point} FOR EACH ROW EXECUTE FUNCTION held()")
        cursor.execute(f"SELECT pg_advisory_lock({LOCK})")
        try:
            yield
        finally:
            cursor.execute(f"SELECT pg_advisory_unlock({LOCK})")
            within(10, lambda: not waiting())
            cursor.execute("DROP FUNCTION held() CASCADE")


def waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted", [LOCK]
        )
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_killed_at_any_point_it_loses_and_doubles_nothing(dana, tell, joined, tmp_path, point):
    Preference.objects.update(digest=True)
    told = answers(tell, dana, "10001", "10002")
    hour_comes()
    with held_at(point):
        process = subprocess.Popen(
            [sys.executable, "manage.py", "deliver"],
            cwd=settings.BASE_DIR,
            env=Relay(joined, tmp_path).env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert within(20, waiting), "it comes to the point"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    flows.send_digests()
    assert len(digests()) == 1 and digests()[0].deliveries.count() == 2
    assert {way.status for event in told for way in event.deliveries.all()} == {"digested"}
    flows.deliver_due()
    assert len(joined.sms()) == len(joined.mail()) == 1
    assert "2 answers" in joined.sms()[0]["text"]


def blocked() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return int(cursor.fetchone()[0])


def test_two_sweeps_at_once_tell_each_answer_once(dana, tell, joined, tmp_path):
    """The second one finds an answer more, which came due while the first was at work."""
    Preference.objects.update(digest=True)
    _first, second = answers(tell, dana, "10001", "10002")
    hour_comes()
    second.deliveries.update(not_before=timezone.now() + dt.timedelta(hours=1))
    command, env = [sys.executable, "manage.py", "deliver"], Relay(joined, tmp_path).env
    with held_at(POINTS["before the message is written"]):
        sweeps = [subprocess.Popen(command, cwd=settings.BASE_DIR, env=env, stdout=subprocess.DEVNULL)]
        assert within(20, waiting)
        second.deliveries.update(not_before=timezone.now())
        sweeps.append(subprocess.Popen(command, cwd=settings.BASE_DIR, env=env, stdout=subprocess.DEVNULL))
        assert within(20, lambda: blocked() == 2)
    assert [sweep.wait(30) for sweep in sweeps] == [0, 0]
    assert sorted(event.context["numbers"] for event in digests()) == ["10001", "10002"]
    assert not Delivery.objects.gathered().exists() and len(joined.sms()) == 2
