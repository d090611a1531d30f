"""A broadcast on its way: each of the audience once by each channel, whatever stops it in the middle."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from django.conf import settings
from django.db import connection, transaction

from accounts import privacy
from accounts.models import Company, Customer, Membership
from accounts.models.company import Role
from notifications import flows
from notifications.flows import broadcasts as story
from notifications.models import Broadcast, Delivery, Event
from tests.base import database_url, make_customer
from tests.notifications.base import Relay, within
from tests.notifications.crowds import approved, crowd, prepared

S = Broadcast.Status
DIE = """
import django; django.setup()
from notifications import flows
from notifications.flows import broadcasts
from notifications.models import Broadcast
broadcasts.CHUNK = 2
print("ready", flush=True)
flows.fan_out(broadcast=Broadcast.objects.get())
"""


@pytest.fixture
def staff(transactional_db) -> Customer:
    """Somebody whose rows are really committed."""
    return make_customer("carol@example.com", "+989121110003", language="en", is_staff=True)


def fresh(broadcast: Broadcast) -> Broadcast:
    return Broadcast.objects.get(pk=broadcast.pk)


def everyone_once(customers: list[Customer]) -> None:
    found = [(row.event.customer_id, row.reader_id, row.channel) for row in Delivery.objects.select_related("event")]
    wanted = {(c.pk, c.pk, channel) for c in customers for channel in ("email", "sms")}
    assert len(found) == len(set(found)) and set(found) == wanted
    assert Event.objects.count() == len(customers)


# --- once each --------------------------------------------------------------------------------------------------------


def test_everybody_is_written_to_once_by_each_channel(carol):
    customers = crowd(5)
    broadcast = approved(carol)
    assert flows.fan_out(broadcast=broadcast) == 10
    everyone_once(customers)
    assert fresh(broadcast).fanned == 5 and fresh(broadcast).status == S.SENDING
    row = Delivery.objects.first()
    assert (row.lane, row.status, row.recipient, row.at_account) == ("bulk", "queued", None, True)
    assert 10**17 <= row.local_ref < 10**18 and Delivery.objects.values("local_ref").distinct().count() == 10
    event = row.event
    assert (event.purpose, event.about, event.language) == ("legal", "policy:2", event.customer.language)


def test_again_adds_nothing_even_if_how_far_it_came_was_forgotten(carol, monkeypatch):
    monkeypatch.setattr(story, "CHUNK", 2)
    customers = crowd(5)
    broadcast = approved(carol)
    flows.fan_out(broadcast=broadcast)
    assert flows.fan_out(broadcast=broadcast) == 0
    Broadcast.objects.update(fanned_to=0)
    assert flows.fan_out(broadcast=broadcast) == 0
    everyone_once(customers)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_people_of_a_company_share_one_event_whatever_chunk_they_fall_into(carol, alice, bob, monkeypatch, size):
    monkeypatch.setattr(story, "CHUNK", size)
    atlas = Customer.objects.create(kind="company", name="Atlas", language="fa")
    company = Company.objects.create(customer=atlas, national_id="10380284790", registration_number="55")
    for person in (alice, bob):
        Membership.objects.create(company=company, person=person, role=Role.OWNER)
    broadcast = approved(carol, audience=Customer.objects.filter(pk=atlas.pk).values("pk"))
    assert (broadcast.customers, broadcast.readers) == (1, 2)
    assert flows.fan_out(broadcast=broadcast) == 4
    event = Event.objects.get()
    assert (event.customer, event.language) == (atlas, "fa")
    assert {row.reader for row in event.deliveries.all()} == {alice, bob}


def test_who_reads_no_more_gets_nothing_and_the_rows_say_why(carol, alice, bob):
    broadcast = approved(carol)
    Customer.objects.filter(pk=alice.pk).update(is_active=False)
    flows.fan_out(broadcast=broadcast)
    rows = Delivery.objects.filter(reader=alice)
    assert {(row.status, row.last_code, row.not_before) for row in rows} == {("suppressed", "reader-left", None)}
    assert {row.status for row in Delivery.objects.filter(reader=bob)} == {"queued"}
    assert [recipient.customer for recipient in fresh(broadcast).missing()] == [alice]


def test_several_go_on_side_by_side_and_what_waits_for_a_second_person_waits(carol, alice):
    approved(carol)
    approved(carol, source="policy:3")
    prepared(carol, source="policy:4")
    assert flows.fan_out_due() == 4
    assert set(Event.objects.values_list("about", flat=True)) == {"policy:2", "policy:3"}


# --- what stops it in the middle --------------------------------------------------------------------------------------


def test_killed_in_the_middle_it_goes_on_with_no_double_and_no_loss(staff):
    """kill -9, four times, each at another point of its work."""
    customers = crowd(40)
    broadcast = approved(staff)
    env = os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "portal.settings"}
    reached = []
    for wait in (0.0, 0.004, 0.011, 0.02):
        process = subprocess.Popen([sys.executable, "-c", DIE], cwd=settings.BASE_DIR, env=env, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"
        already = fresh(broadcast).fanned
        within(10, lambda already=already: fresh(broadcast).fanned > already)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        reached.append(fresh(broadcast).fanned)
        assert Delivery.objects.count() == 2 * reached[-1], "a chunk is there as a whole or not at all"
    assert reached == sorted(reached) and 0 < reached[0] < 40
    flows.fan_out(broadcast=broadcast)
    everyone_once(customers)


def test_a_chunk_that_fails_leaves_nothing_of_itself(staff, monkeypatch):
    customers = crowd(4)
    broadcast = approved(staff)
    monkeypatch.setattr(story, "CHUNK", 2)
    flows.fan_out.__globals__["_next_chunk"](broadcast.pk)
    with connection.cursor() as cursor:  # the disk is full at the last statement of the second chunk
        cursor.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = 'disk_full'; END $$;"
            " CREATE TRIGGER full_disk BEFORE INSERT ON notifications_delivery EXECUTE FUNCTION full_disk()"
        )
    try:
        with pytest.raises(Exception, match="full"):
            flows.fan_out(broadcast=broadcast)
        assert (Event.objects.count(), Delivery.objects.count(), fresh(broadcast).fanned) == (2, 4, 2)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER full_disk ON notifications_delivery; DROP FUNCTION full_disk()")
    flows.fan_out(broadcast=broadcast)
    everyone_once(customers)


def test_two_at_once_write_each_row_once(staff, monkeypatch):
    monkeypatch.setattr(story, "CHUNK", 3)
    customers = crowd(30)
    broadcast = approved(staff)
    added, start = [], threading.Barrier(4)

    def run() -> None:
        try:
            start.wait()
            added.append(flows.fan_out(broadcast=broadcast))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    flows.fan_out(broadcast=broadcast)
    everyone_once(customers)
    assert fresh(broadcast).fanned == 30 and len(added) == 4


def test_a_pause_stops_the_writing_itself_after_the_chunk_under_way(staff, monkeypatch):
    monkeypatch.setattr(story, "CHUNK", 2)
    customers = crowd(6)
    broadcast = approved(staff)
    write_out, seen = story.crowd.write_out, []

    def paused_meanwhile(*args, **how):
        """Somebody presses the button while a chunk is written: it has to wait for it, and then holds."""
        if not seen:
            press = threading.Thread(target=lambda: flows.pause_broadcast(broadcast=fresh(broadcast), by=staff))
            seen.append(press)
            press.start()
            time.sleep(0.2)
        return write_out(*args, **how)

    monkeypatch.setattr(story.crowd, "write_out", paused_meanwhile)
    flows.fan_out(broadcast=broadcast)
    seen[0].join()
    assert fresh(broadcast).status == S.PAUSED
    assert fresh(broadcast).fanned < 6 and not Delivery.objects.unclaimed().exists()
    flows.resume_broadcast(broadcast=broadcast, by=staff)
    flows.fan_out(broadcast=broadcast)
    everyone_once(customers)


# --- to its end -------------------------------------------------------------------------------------------------------


def test_it_arrives_at_the_address_of_now_and_is_then_done(joined, staff):
    fatima = make_customer("old@example.com", "+989121110021", language="en")
    broadcast = approved(staff)
    flows.fan_out_due()
    assert fresh(broadcast).status == S.SENDING
    fatima.email = "new@example.com"
    fatima.save()
    flows.deliver_due()
    flows.fan_out_due()
    assert fresh(broadcast).status == S.DONE
    (mail,), (sms,) = joined.mail(), joined.sms()
    assert mail["to"] == "new@example.com" and sms["to"] == "+989121110021"
    assert "version 2 of our privacy policy" in sms["text"]
    counts = {progress.channel: progress.counts for progress in broadcast.progress()}
    assert counts == {"email": {"accepted": 1}, "sms": {"accepted": 1}}
    assert not fresh(broadcast).missing().exists()
    flows.fan_out_due()
    assert [step.now for step in broadcast.events.all()] == ["ready", "approved", "sending", "done"]


def test_who_was_erased_meanwhile_is_sent_nothing_and_is_named_as_missing(joined, staff):
    gone, stays = crowd(2)
    broadcast = approved(staff)
    flows.fan_out_due()
    privacy.erase(Customer.objects.get(pk=gone.pk))
    flows.deliver_due()
    flows.fan_out_due()
    assert {(row.status, row.last_code) for row in Delivery.objects.filter(reader=gone)} == {
        ("suppressed", "no-address")
    }
    assert len(joined.mail()) == len(joined.sms()) == 1
    assert fresh(broadcast).status == S.DONE
    assert [recipient.customer.ref for recipient in fresh(broadcast).missing()] == [gone.ref] != [stays.ref]


def test_an_incident_is_told_while_the_broker_is_away(tmp_path, joined, staff):
    crowd(1)
    prepared(staff, reason="incident", source="incident:1", urgent=True)
    with Relay(joined, tmp_path).running("redis://127.0.0.1:1/0"):
        assert within(20, lambda: joined.mail() and joined.sms())
    assert Broadcast.objects.get().status in (S.SENDING, S.DONE)


def test_held_for_a_person_is_still_owed(carol, alice):
    broadcast = approved(carol)
    flows.fan_out(broadcast=broadcast)
    Delivery.objects.filter(channel="email").update(status="parked")
    Delivery.objects.filter(channel="sms").update(status="undelivered")
    assert not fresh(broadcast).missing().exists()
    Delivery.objects.filter(channel="email").update(status="undelivered")
    assert [recipient.customer for recipient in fresh(broadcast).missing()] == [alice]


def test_what_the_evening_left_unsent_waits_for_the_morning(carol, alice, monkeypatch):
    broadcast = approved(carol, heeds_quiet_hours=True)
    flows.fan_out(broadcast=broadcast)
    Delivery.objects.update(not_before=broadcast.prepared_at)
    morning = broadcast.prepared_at.replace(year=2040)
    monkeypatch.setattr(story, "not_before", lambda broadcast, at: morning)
    flows.fan_out_due()
    assert {row.not_before for row in Delivery.objects.all()} == {morning}


def test_nothing_personal_is_in_what_sql_writes(carol, alice):
    broadcast = approved(carol)
    flows.fan_out(broadcast=broadcast)
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute(
            "SELECT r::text FROM notifications_broadcastrecipient r UNION ALL SELECT d::text FROM"
            " notifications_delivery d UNION ALL SELECT e::text FROM notifications_event e"
        )
        rows = "".join(row for (row,) in cursor.fetchall())
    assert "alice" not in rows and "9121110001" not in rows
