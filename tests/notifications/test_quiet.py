"""Quiet hours and the hours of digests: a pure function of a choice and a moment."""

import datetime as dt

import pytest
from django.db import transaction
from django.utils import translation

from accounts.models import Company, Customer, Membership
from notifications import flows, quiet
from notifications.messages import CATALOGUE
from notifications.models import Preference, Purpose
from notifications.progress import label
from tests.notifications.base import only

CAN, CANNOT = CATALOGUE["ticket_answered"], CATALOGUE["invoice_issued"]
DAY = dt.time(13), dt.time(15, 30)  # a rest at noon
ALWAYS_AWAKE = dt.time(5), dt.time(5)


def tehran(clock: str, day: str = "2026-11-23") -> dt.datetime:
    return dt.datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=quiet.TEHRAN)


def chosen(hours: tuple[dt.time, dt.time] | None) -> Preference | None:
    return Preference(quiet_from=hours[0], quiet_until=hours[1]) if hours else None


@pytest.mark.parametrize(
    ("hours", "at", "until"),
    [
        (None, "21:59:59", None),
        (None, "22:00", "2026-11-24 08:00"),
        (None, "23:59:59", "2026-11-24 08:00"),
        (None, "00:00", "2026-11-23 08:00"),
        (None, "07:59:59.999999", "2026-11-23 08:00"),
        (None, "08:00", None),
        (DAY, "12:59", None),
        (DAY, "13:00", "2026-11-23 15:30"),
        (DAY, "15:29", "2026-11-23 15:30"),
        (DAY, "15:30", None),
        (ALWAYS_AWAKE, "05:00", None),
        (ALWAYS_AWAKE, "23:00", None),
        ((dt.time(22), dt.time(0)), "23:00", "2026-11-24 00:00"),
        ((dt.time(22), dt.time(0)), "00:00", None),
        ((dt.time(0), dt.time(8)), "00:00", "2026-11-23 08:00"),
        ((dt.time(0), dt.time(8)), "23:59", None),
        ((dt.time(1), dt.time(0)), "00:30", None),
        ((dt.time(1), dt.time(0)), "14:00", "2026-11-24 00:00"),
    ],
)
def test_what_can_wait_comes_after_the_quiet_hours(hours, at, until):
    at = tehran(at)
    ends = dt.datetime.fromisoformat(until).replace(tzinfo=quiet.TEHRAN) if until else at
    assert quiet.not_before(chosen(hours), CAN, at) == ends
    assert quiet.not_before(chosen(hours), CANNOT, at) == at


def test_the_hours_are_those_of_tehran_whatever_clock_the_moment_comes_by():
    at = dt.datetime(2026, 11, 23, 18, 30, tzinfo=dt.UTC)  # 22:00 in Tehran
    assert quiet.not_before(None, CAN, at) == dt.datetime(2026, 11, 24, 4, 30, tzinfo=dt.UTC)
    just_before = at - dt.timedelta(microseconds=1)
    assert quiet.not_before(None, CAN, just_before) == just_before


def test_the_clock_that_once_changed_at_midnight_is_followed():
    """In the night to 22 March 2022 Tehran had no hour between 00:00 and 01:00."""
    at = dt.datetime(2022, 3, 21, 19, 30, tzinfo=dt.UTC)  # 23:00, +03:30
    assert quiet.not_before(None, CAN, at) == dt.datetime(2022, 3, 22, 3, 30, tzinfo=dt.UTC)  # 08:00, +04:30


@pytest.mark.parametrize(
    ("hours", "at", "comes"),
    [
        (None, "08:59:59", "2026-11-23 09:00"),
        (None, "09:00", "2026-11-23 17:00"),
        (None, "16:59", "2026-11-23 17:00"),
        (None, "17:00", "2026-11-24 09:00"),
        (None, "23:30", "2026-11-24 09:00"),
        ((dt.time(22), dt.time(10)), "23:30", "2026-11-24 10:00"),
        ((dt.time(8), dt.time(18)), "08:30", "2026-11-23 18:00"),
        (ALWAYS_AWAKE, "17:30", "2026-11-24 09:00"),
    ],
)
def test_a_digest_comes_at_nine_or_five_and_never_in_quiet_hours(hours, at, comes):
    expected = dt.datetime.fromisoformat(comes).replace(tzinfo=quiet.TEHRAN)
    assert quiet.next_digest(chosen(hours), tehran(at)) == expected


def test_codes_security_money_and_the_law_never_wait():
    waits = {kind.name for kind in CATALOGUE.values() if kind.can_wait}
    assert waits == {
        *("ticket_opened", "ticket_answered", "ticket_digest", "ticket_closed"),
        *("photo_id_approved", "photo_id_refused", "photo_id_expired", "photo_id_asked_again"),
    }
    assert [kind.name for kind in CATALOGUE.values() if kind.can_gather] == ["ticket_answered"]


# --- told in quiet hours ---------------------------------------------------------------------------------------------


@pytest.fixture
def whole_day_quiet(alice: Customer) -> Preference:
    """Quiet from this hour until the one before: whenever the tests run, it is quiet now."""
    now = dt.datetime.now(quiet.TEHRAN).replace(minute=0, second=0, microsecond=0)
    hours = {"quiet_from": now.time(), "quiet_until": (now - dt.timedelta(minutes=1)).time()}
    return Preference.objects.create(reader=alice, **hours)


def test_an_answer_waits_and_an_invoice_does_not(alice, tell, whole_day_quiet):
    answer, invoice = tell(alice, "ticket_answered"), tell(alice, "invoice_issued")
    for channel in ("email", "sms"):
        assert only(answer, channel).not_before == quiet.after_quiet(whole_day_quiet, answer.at) > answer.at
        assert only(invoice, channel).not_before == invoice.at
    with translation.override("en"):
        assert label(only(answer, "sms")) == "Waits until your quiet hours end"
    assert flows.tidy() == {}


def test_each_of_a_companys_people_has_her_own_hours(alice, bob, tell, whole_day_quiet):
    Preference.objects.create(reader=bob, quiet_from=dt.time(5), quiet_until=dt.time(5))
    company = Customer.objects.create(kind=Customer.Kind.COMPANY, name="Atlas Co", language="en")
    row = Company.objects.create(customer=company, national_id="10380284790", registration_number="12345")
    for person in (alice, bob):
        Membership.objects.create(company=row, person=person, role="owner")
    event = tell(company, "ticket_answered")
    turn = {way.reader_id: way.not_before for way in event.deliveries.filter(channel="email")}
    assert turn[alice.pk] > event.at and turn[bob.pk] == event.at


def test_asking_for_the_hours_is_one_statement_and_none_where_nothing_waits(alice, django_assert_num_queries):
    with transaction.atomic(), django_assert_num_queries(4):
        flows.tell(alice, "ticket_opened", about="x", context={"number": "1", "subject": "s", "url": "u"})
    with transaction.atomic(), django_assert_num_queries(3):
        flows.tell(alice, "password_changed", about="account")


def test_only_tickets_may_be_gathered():
    assert all(kind.purpose == Purpose.TICKET for kind in CATALOGUE.values() if kind.can_gather)
