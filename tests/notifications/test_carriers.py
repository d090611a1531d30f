"""Carriers: a rate with a share for codes, a rest after failures that one probe ends, and an account that runs dry."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now

from notifications import flows
from notifications.models import Carrier, Delivery
from tests.notifications.base import due_now, only

pytestmark = pytest.mark.django_db(transaction=True)
take = Carrier.objects.take


def carrier(**fields) -> Carrier:
    """One whose tokens hardly come back while a test runs."""
    Carrier.objects.meet("kavenegar")
    Carrier.objects.update(**{"burst": 10, "tokens": 10, "per_second": 1, "refilled_at": Now(), **fields})
    return Carrier.objects.get()


def test_a_row_comes_into_being_when_it_is_first_used():
    assert take("kavenegar", 3, "money").given == 3 and take("smtp", 1, "codes").given == 1
    assert [(c.slug, c.channel) for c in Carrier.objects.all()] == [("smtp", "email"), ("kavenegar", "sms")]


def test_a_share_of_each_burst_is_for_codes_alone():
    carrier(reserve_percent=30)
    assert take("kavenegar", 200, "bulk").given == 7
    turn = take("kavenegar", 1, "money")
    assert (turn.given, turn.shut) == (0, "") and 0 < turn.wait <= 1
    assert [take("kavenegar", 1, "codes").given for _ in range(4)] == [1, 1, 1, 0]


def test_tokens_come_back_by_the_databases_clock_and_no_more_than_a_burst():
    carrier(tokens=0, refilled_at=Now())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE notifications_carrier SET refilled_at = now() - interval '4 seconds'")
    assert take("kavenegar", 200, "codes").given == 4
    with connection.cursor() as cursor:
        cursor.execute("UPDATE notifications_carrier SET refilled_at = now() - interval '1 day'")
    assert take("kavenegar", 200, "codes").given == 10
    with connection.cursor() as cursor:  # as after a clock was put back
        cursor.execute("UPDATE notifications_carrier SET tokens = 2, refilled_at = now() + interval '1 day'")
    assert take("kavenegar", 200, "codes").given == 2


def test_many_hands_together_take_no_more_than_there_is():
    carrier(burst=100, tokens=100)
    start = threading.Barrier(8)

    def hand(_: int) -> int:
        start.wait()
        try:
            return sum(take("kavenegar", 7, "codes").given for _ in range(5))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(hand, range(8))) in (100, 101)


def test_what_was_not_needed_is_given_back():
    carrier()
    take("kavenegar", 5, "codes")
    Carrier.objects.give_back("kavenegar", 4, unused=False)
    assert take("kavenegar", 10, "codes").given == 9


# --- rest ------------------------------------------------------------------------------------------------------------


def fail(times: int, *, was_probe: bool = False) -> list[bool]:
    return [Carrier.objects.get().fail(was_probe=was_probe) for _ in range(times)]


def rest_is_over() -> None:
    Carrier.objects.update(down_until=Now())


def test_it_is_left_alone_after_failures_in_a_row_and_then_one_probe_gets_through():
    carrier()
    assert fail(Carrier.TRIP_AFTER) == [False] * (Carrier.TRIP_AFTER - 1) + [True]
    turn = take("kavenegar", 5, "codes")
    assert (turn.given, turn.shut) == (0, "down") and 4 < turn.wait <= 10
    rest_is_over()
    assert [take("kavenegar", 5, lane).given for lane in ("bulk", "codes", "money")] == [1, 0, 0]
    Carrier.objects.get().recover()
    assert take("kavenegar", 5, "codes").given == 5


def test_of_many_hands_exactly_one_is_the_probe():
    carrier()
    fail(Carrier.TRIP_AFTER)
    rest_is_over()
    start = threading.Barrier(8)

    def hand(_: int) -> int:
        start.wait()
        try:
            return take("kavenegar", 200, "codes").given
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(hand, range(8))) == [0] * 7 + [1]


def test_each_failed_probe_doubles_the_rest_and_late_failures_do_not():
    carrier()
    fail(Carrier.TRIP_AFTER)
    assert not any(fail(20)), "calls that began before"
    rests = []
    for _ in range(8):
        fail(1, was_probe=True)
        rests.append(take("kavenegar", 1, "codes").wait)
    bounds = [min(600, 10 * 2**n) for n in range(1, 9)]
    assert all(bound * 0.45 < rest <= bound for bound, rest in zip(bounds, rests, strict=True))
    assert Carrier.objects.get().failures == Carrier.TRIP_AFTER + 8


def test_a_probe_that_found_nothing_to_send_leaves_the_next_one_free():
    carrier()
    fail(Carrier.TRIP_AFTER)
    rest_is_over()
    assert not flows.drain("bulk") and take("kavenegar", 1, "codes").given == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"per_second": 0},
        {"burst": 0},
        {"tokens": -1},
        {"reserve_percent": 91},
        {"channel": "fax"},
        {"credit": 5},
        {"down_until": Now(), "failures": 0},
    ],
)
def test_the_database_refuses_a_row_that_makes_no_sense(wrong):
    carrier()
    with pytest.raises(DatabaseError), transaction.atomic():
        Carrier.objects.update(**wrong)


# --- as it is used ---------------------------------------------------------------------------------------------------


def test_out_of_rate_a_row_waits_a_moment_without_a_try(dana, tell, joined):
    carrier(tokens=0)
    way = only(tell(dana, "password_changed"), "sms")
    assert flows.deliver(way.pk) == "queued"
    way.refresh_from_db()
    assert (way.tries, way.last_code, way.attempts.count()) == (0, "", 0) and not joined.sms()
    Carrier.objects.update(tokens=10)
    assert flows.deliver(due_now(way).pk) == "accepted"


def test_silence_trips_it_and_its_first_answer_mends_it(dana, tell, joined, settings):
    home = settings.KAVENEGAR
    settings.KAVENEGAR = {**home, "api_url": "http://127.0.0.1:1"}
    ways = [only(tell(dana, "password_changed", about=f"test:{n}"), "sms") for n in range(7)]
    assert [flows.deliver(way.pk) for way in ways] == ["queued"] * 7
    tries = [Delivery.objects.get(pk=way.pk).tries for way in ways]
    assert tries == [1] * 5 + [0, 0], "what it is not asked for is not counted"
    settings.KAVENEGAR = home
    rest_is_over()
    assert flows.deliver(due_now(ways[6]).pk) == "accepted"
    assert flows.deliver(due_now(ways[5]).pk) == "accepted" and Carrier.objects.get().failures == 0


def test_a_number_that_is_refused_says_nothing_of_the_company(dana, tell, joined):
    joined.next("kavenegar", "send", *[{"code": 411}] * 6)
    for n in range(6):
        flows.deliver(only(tell(dana, "password_changed", about=f"test:{n}"), "sms").pk)
    tell(dana, "password_changed", to={"email": "x@busy.example"}, about="busy")
    flows.drain("money")
    assert set(Carrier.objects.values_list("failures", flat=True)) == {0}
