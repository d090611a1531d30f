"""What became of an SMS: asked in batches of each company, and only ever forward."""

import pytest
from django.db import transaction
from django.db.utils import DatabaseError
from django.utils import timezone

from notifications import channels, flows
from notifications.channels import Fate, Standing, TransportError
from notifications.models import Delivery, Event, Receipt
from tests.notifications.base import due_now, only


@pytest.fixture
def sent(dana, tell, joined) -> Delivery:
    way = only(tell(dana, "password_changed"), "sms")
    flows.deliver(way.pk)
    return due_now(way)


@pytest.mark.parametrize(
    ("ends", "status", "state"),
    [(10, "delivered", "delivered"), (11, "undelivered", "undelivered"), (14, "blocked", "blocked")],
)
def test_an_end_is_written_down_once(dana, tell, joined, ends, status, state):
    joined.next("kavenegar", "send", {"ends": ends})
    way = only(tell(dana, "password_changed"), "sms")
    flows.deliver(way.pk)
    joined.clock(60)
    due_now(way)
    assert flows.ask_operator() == {status: 1} and not flows.ask_operator()
    receipt = Receipt.objects.get()
    way.refresh_from_db()
    assert (receipt.carrier, receipt.ref) == ("kavenegar", way.provider_ref)
    assert (receipt.state, receipt.code, way.last_code) == (state, str(ends), str(ends))


def test_two_that_ask_at_once_and_a_late_word_change_nothing(sent):
    """Both read the row while it was still on its way; the second hears something else."""
    first, second = Delivery.objects.get(pk=sent.pk), Delivery.objects.get(pk=sent.pk)
    assert first.arrive(timezone.now(), "10")
    assert not second.arrive(timezone.now(), "10") and not second.fail("11") and second.status == "delivered"
    second.ask_later(timezone.now())
    sent.refresh_from_db()
    assert (sent.status, sent.last_code, sent.not_before) == ("delivered", "10", None)


class Second:
    """A second company, of which only the question matters here."""

    slug, asked = "second", []

    def standings(self, refs: list[str]) -> list[Standing]:
        self.asked.append(list(refs))
        if "lost" in refs:
            raise TransportError("network")
        return [Standing(ref, Fate.DELIVERED, "1") for ref in refs]


@pytest.fixture
def second(sent, monkeypatch) -> Second:
    company, first = Second(), channels.sms_carriers()
    company.asked = []
    monkeypatch.setattr(channels, "sms_carriers", lambda: [company, *first])
    return company


def went_by_the_second(event: Event, ref: str) -> Delivery:
    way = only(event, "sms")
    Delivery.objects.filter(pk=way.pk).update(
        status="accepted", carrier="second", provider_ref=ref, not_before=timezone.now()
    )
    return way


def test_each_company_is_asked_about_its_own(sent, second, joined, dana, tell):
    went_by_the_second(tell(dana, "invoice_issued"), "a1")
    joined.clock(60)
    assert flows.ask_operator() == {"delivered": 2}
    assert second.asked == [["a1"]]
    assert set(Receipt.objects.values_list("carrier", "code")) == {("second", "1"), ("kavenegar", "10")}


def test_a_silent_company_holds_up_no_other(sent, second, joined, dana, tell):
    other = went_by_the_second(tell(dana, "invoice_issued"), "lost")
    joined.clock(60)
    assert flows.ask_operator() == {"delivered": 1}
    other.refresh_from_db()
    assert other.status == "accepted"


def test_five_hundred_are_asked_about_in_one_call(sent, second, dana, tell):
    for n in range(501):
        went_by_the_second(tell(dana, "ticket_opened", about=f"ticket:{n}"), f"r{n}")
    Delivery.objects.filter(pk=sent.pk).update(not_before=None)
    assert flows.ask_operator() == {"delivered": 501}
    assert [len(refs) for refs in second.asked] == [500, 1]


def test_a_receipt_stays_as_it_was_written(sent, joined):
    joined.clock(60)
    flows.ask_operator()
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        Receipt.objects.update(state="undelivered")
    assert not Receipt.objects.note("kavenegar", sent.provider_ref, "delivered", "10")
    assert Receipt.objects.count() == 1
