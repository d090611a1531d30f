"""Which words a customer reads: those in force, those that were sent, and none where a value is missing."""

import pytest
from django.utils import translation

from notifications import flows
from notifications.messages import render, shown
from notifications.models import Event
from notifications.models.wording import in_force
from tests.base import make_customer
from tests.notifications.base import OTHER_WORDS, due_now, only


def test_published_words_go_out(published, alice, tell):
    event = tell(alice, "invoice_issued")
    assert event.title == "Bill 1405-000012"
    assert render(event, "sms").text == "Yaghout: bill 1405-000012 of 132,000 Toman."
    letter = render(event, "email")
    assert letter.text.startswith("132,000 Toman until Tuesday 1 December 2026:\n\nhttp://127.0.0.1:8000/invoices/")
    assert '<a href="http://127.0.0.1:8000/invoices/1405-000012/"' in letter.html


def test_a_choice_is_told_in_the_readers_words(carol, erin, alice, bob, tell):
    words = {"subject": "News", "text": "{{ what }}.\n\n{{ url }}", "sms": "{{ what }}."}
    for language in ("fa", "en"):
        draft = flows.draft_wording(message="contact_changed", language=language, by=carol, **words)
        flows.propose_wording(wording=draft, by=carol)
        flows.publish_wording(wording=draft, by=erin)
    in_force.forget()
    assert render(tell(alice, "contact_changed"), "sms").text == "e-mail address."
    with translation.override("fa"):
        expected = f"{translation.gettext('e-mail address')}."
    assert render(tell(bob, "contact_changed", key="bob"), "sms").text == expected


def test_a_message_keeps_the_words_that_it_was_sent_with(alice, alice_client, tell, draft, carol, erin):
    event = tell(alice, "invoice_issued")
    before, sent = shown(event), in_force.of("invoice_issued", "en")
    event.deliveries.update(wording=sent)
    flows.propose_wording(wording=draft, by=carol)
    flows.publish_wording(wording=draft, by=erin)
    in_force.forget()
    assert shown(event) != before, "an event that was not sent has the words in force"
    assert shown(Event.objects.with_words().get(pk=event.pk)) == before
    page = alice_client.get(f"/messages/{event.pk}/").content.decode()
    assert "Invoice 1405-000012" in page and "Bill 1405-000012" not in page
    assert "Invoice 1405-000012" in alice_client.get("/messages/").content.decode()


def test_the_first_try_decides_on_the_words_of_every_later_one(dana, carol_at_work, tell, joined):
    joined.next("kavenegar", "send", {"code": 409})
    way = only(tell(dana, "invoice_issued"), "sms")
    flows.deliver(way.pk)
    way.refresh_from_db()
    assert way.status == "queued" and way.wording.is_shipped
    carol_at_work()
    flows.deliver(due_now(way).pk)
    way.refresh_from_db()
    assert way.status == "accepted" and way.wording.is_shipped
    assert "You can pay it in the portal" in joined.sms()[-1]["text"]


def test_other_words_go_out_at_once_where_they_were_published(dana, carol_at_work, tell, joined):
    carol_at_work()
    way = only(tell(dana, "invoice_issued"), "sms")
    assert flows.deliver(way.pk) == "accepted"
    assert joined.sms()[-1]["text"] == "Yaghout: bill 1405-000012 of 132,000 Toman."


@pytest.fixture
def carol_at_work(transactional_db):
    """Words published by two people, in committed transactions."""

    def publish() -> None:
        carol = make_customer("carol@example.com", "+989121110003", is_staff=True)
        erin = make_customer("erin@example.com", "+989121110005", is_staff=True)
        draft = flows.draft_wording(message="invoice_issued", language="en", by=carol, **OTHER_WORDS)
        flows.propose_wording(wording=draft, by=carol)
        flows.publish_wording(wording=draft, by=erin)

    return publish


@pytest.mark.parametrize("context", [{"number": "1"}, {"number": "1", "total": None, "due_on": "", "url": "x"}, {}])
def test_a_message_without_a_value_is_held_and_not_sent_half_empty(dana, tell, joined, context):
    event = tell(dana, "invoice_issued", context=context)
    flows.deliver_due()
    assert {(way.status, way.last_code) for way in event.deliveries.all()} == {("parked", "words")}
    assert not joined.sms() and not joined.mail()


def test_telling_and_listing_cost_no_statement_more(alice, tell, django_assert_num_queries):
    event = tell(alice, "invoice_issued")
    assert event.title
    with django_assert_num_queries(0):
        assert event.title and shown(event) and render(event, "email")
