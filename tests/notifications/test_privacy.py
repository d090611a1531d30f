"""What is held, handed over and taken away."""

import datetime as dt
import json

from django.db import connection

from notifications import flows, privacy
from notifications.attachments import CleanFile
from notifications.models import Attachment, Delivery
from tests.notifications.base import due_now, only

FILE = CleanFile("name.txt", "text/plain; charset=utf-8", b"content")


def test_all_of_it_is_handed_over_and_codes_are_not(alice, bob, carol, tell):
    tell(alice, "phone_code")
    flows.open_ticket(customer=alice, subject="Slow site", text="Since Monday", files=[FILE])
    task = flows.ask_for_call(customer=alice, number="mobile", reason="service_down", why="Disk is full", by=carol)
    flows.approve_call(task=task, by=bob)
    flows.record_outcome(task=task, by=carol, outcome="spoken", note="She will look")
    flows.change_preferences(reader=alice, quiet_from=dt.time(21), quiet_until=dt.time(9), digest=True)
    said = json.dumps(privacy.export(alice))
    for word in ("Slow site", "Since Monday", "name.txt", "+989121110001", "alice@example.com"):
        assert word in said
    for word in ("Disk is full", "She will look", "21:00"):
        assert word in said
    assert "482913" not in said


def test_nothing_of_bob_is_handed_to_alice(alice, bob, tell):
    flows.open_ticket(customer=bob, subject="Bobs own", text="x")
    assert "Bobs own" not in json.dumps(privacy.export(alice))


def test_erased_is_gone_from_every_column_and_file(
    alice, bob, carol, tell, tmp_path, django_capture_on_commit_callbacks
):
    ticket = flows.open_ticket(customer=alice, subject="s", text="t", files=[FILE])
    flows.answer_ticket(ticket=ticket, author=carol, text="Dear Alice", files=[FILE])
    other = flows.open_ticket(customer=bob, subject="Bobs own", text="x", files=[FILE])
    task = flows.ask_for_call(customer=alice, number="mobile", reason="service_down", why="Disk is full", by=carol)
    flows.approve_call(task=task, by=bob)
    flows.record_outcome(task=task, by=carol, outcome="spoken", note="She will look")
    with django_capture_on_commit_callbacks(execute=True):
        privacy.erase(alice)
    with connection.cursor() as cursor:
        for name in privacy.HOLDS:
            model, column = name.lower().split(".")
            owner = {
                "event": "t.customer_id",
                "delivery": "(SELECT customer_id FROM notifications_event e WHERE e.id = t.event_id)",
                "ticket": "t.customer_id",
                "ticketmessage": "(SELECT customer_id FROM notifications_ticket k WHERE k.id = t.ticket_id)",
                "attachment": "(SELECT k.customer_id FROM notifications_ticket k JOIN notifications_ticketmessage m"
                " ON m.ticket_id = k.id WHERE m.id = t.message_id)",
                "calltask": "t.customer_id",
            }[model]
            query = f"SELECT count(*), count({column}) FROM notifications_{model} t WHERE {owner} = %s"  # noqa: S608
            cursor.execute(query, [alice.pk])
            rows, filled = cursor.fetchone()
            assert rows and not filled, name
    assert len(list(tmp_path.rglob("*.sealed"))) == 1
    assert Attachment.objects.exclude(file="").get().message.ticket_id == other.pk
    other.refresh_from_db()
    assert other.subject == "Bobs own"


def test_what_still_waited_for_her_is_not_sent(dana, tell, joined):
    way, broadcast = (only(tell(dana, name), "sms") for name in ("password_changed", "policy_published"))
    Delivery.objects.filter(pk=broadcast.pk).update(at_account=True)
    privacy.erase(dana)
    assert flows.deliver(due_now(way).pk) is flows.deliver(due_now(broadcast).pk) is None
    assert set(Delivery.objects.values_list("status", "last_code")) == {("suppressed", "erased")} and not joined.sms()
