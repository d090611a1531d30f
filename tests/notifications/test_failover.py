"""A second company: codes go by it when the first cannot, security and payment when that is unpaid, the rest waits."""

import pytest

from notifications import channels, flows
from notifications.channels.kavenegar import Kavenegar
from notifications.models import Carrier, Delivery
from tests.notifications.base import claimed, due_now, lease_runs_out, only
from tests.world_client import World


class Second(Kavenegar):
    slug = "second"


@pytest.fixture(scope="module")
def elsewhere():
    """Another company with books of its own."""
    world = World().start()
    yield world
    world.stop()


@pytest.fixture
def second(joined, elsewhere, monkeypatch):
    elsewhere.reset()
    first = channels.sms_carriers
    other = Second("other-key", f"{elsewhere.url}/kavenegar")
    monkeypatch.setattr(channels, "sms_carriers", lambda: [*first(), other])
    return elsewhere


def down(slug: str) -> None:
    for _ in range(Carrier.TRIP_AFTER):
        Carrier.objects.meet(slug).fail(was_probe=False)


@pytest.mark.parametrize("step", [{"code": 409}, {"code": 424}, {"code": 418}, {"code": 403}, {"code": 431}, "timeout"])
def test_a_code_that_the_first_cannot_send_goes_by_the_second_at_once(dana, tell, joined, second, step):
    event = tell(dana, "phone_code")
    joined.next("kavenegar", "lookup", step)
    assert flows.deliver(only(event, "sms").pk) == "accepted"
    (sms,) = second.sms()
    assert "482913" in sms["text"] and not joined.sms()
    assert only(event, "sms").carrier == "second"
    event.refresh_from_db()
    assert event.context == {}


def test_a_code_goes_by_the_second_while_the_first_is_down(dana, tell, joined, second):
    down("kavenegar")
    way = only(tell(dana, "phone_code"), "sms")
    assert flows.deliver(way.pk) == "accepted" and len(second.sms()) == 1
    way.refresh_from_db()
    assert way.tries == 1


def test_a_code_is_tried_twice_and_then_held(dana, tell, joined, second):
    event = tell(dana, "phone_code")
    joined.next("kavenegar", "lookup", {"code": 409})
    second.next("kavenegar", "lookup", {"code": 409})
    assert flows.deliver(only(event, "sms").pk) == "parked"
    way = only(event, "sms")
    assert [(a.carrier, a.outcome) for a in way.attempts.all()] == [("kavenegar", "queued"), ("second", "parked")]


def test_a_code_without_a_second_company_is_tried_twice_too(dana, tell, joined):
    way = only(tell(dana, "phone_code"), "sms")
    joined.next("kavenegar", "lookup", {"code": 409}, {"code": 409})
    assert flows.deliver(way.pk) == "queued" and flows.deliver(due_now(way).pk) == "parked"


def test_a_code_in_doubt_is_tried_once_more_by_the_other_and_never_a_third_time(dana, tell, joined, second):
    way = only(tell(dana, "phone_code"), "sms")
    joined.next("kavenegar", "lookup", "timeout_after_commit")
    second.next("kavenegar", "lookup", "timeout_after_commit")
    assert flows.deliver(way.pk) == "unknown"
    assert not flows.sweep() and not flows.deliver_due()
    assert (len(joined.sms()), len(second.sms())) == (1, 1)
    assert Delivery.objects.get(pk=way.pk).not_before is None


def test_a_code_whose_worker_died_goes_by_the_other(dana, tell, joined, second):
    way = only(tell(dana, "phone_code"), "sms")
    claimed(way)
    lease_runs_out(way)
    flows.tidy()
    assert flows.deliver(way.pk) == "accepted" and len(second.sms()) == 1 and not joined.sms()


def test_an_expired_code_goes_by_nobody(dana, tell, joined, second):
    event = tell(dana, "phone_code")
    joined.next("kavenegar", "lookup", {"code": 409})
    type(event).objects.update(expires_at=event.at)
    assert flows.deliver(only(event, "sms").pk) is None
    assert only(event, "sms").status == "expired" and not second.sms()


def test_a_wrong_number_is_wrong_everywhere(dana, tell, joined, second):
    way = only(tell(dana, "phone_code"), "sms")
    joined.next("kavenegar", "lookup", {"code": 411})
    assert flows.deliver(way.pk) == "undelivered" and not second.sms()


@pytest.mark.parametrize(("message", "goes"), [("password_changed", True), ("ticket_opened", False)])
def test_while_the_first_is_unpaid_security_and_payment_go_by_the_second(dana, tell, joined, second, message, goes):
    joined.credit(0)
    way = only(tell(dana, message), "sms")
    assert flows.deliver(way.pk) == ("accepted" if goes else "queued")
    assert len(second.sms()) == goes
    for n in range(3):
        tell(dana, message, about=f"test:b{n}")
    flows.drain(way.lane)
    assert len(second.sms()) == 4 * goes and not joined.sms()


def test_other_texts_wait_while_the_first_is_down(dana, tell, joined, second):
    down("kavenegar")
    way = only(tell(dana, "password_changed"), "sms")
    assert flows.deliver(way.pk) == "queued"
    flows.drain("money")
    way.refresh_from_db()
    assert way.tries == 0 and not second.sms()


def test_what_the_first_may_have_goes_to_nobody_else(dana, tell, joined, second):
    """Not found there a moment later is no proof: it goes again to the one that knows our number."""
    way = only(tell(dana, "password_changed"), "sms")
    joined.next("kavenegar", "send", "timeout")
    assert flows.deliver(way.pk) == "unknown"
    assert flows.deliver(due_now(way).pk) == "queued", "the first does not know it"
    Carrier.objects.get(pk="kavenegar").run_dry()
    due_now(way)
    assert flows.deliver(way.pk) == "queued" and not flows.drain("money").get("unknown")
    assert not second.sms()
    Carrier.objects.get(pk="kavenegar").note_credit(5_000_000)
    assert flows.deliver(due_now(way).pk) == "accepted" and len(joined.sms()) == 1


def test_what_the_second_may_have_is_asked_there_and_goes_there(dana, tell, joined, second):
    joined.credit(0)
    way = only(tell(dana, "password_changed"), "sms")
    second.next("kavenegar", "send", "timeout", "ok")
    assert flows.deliver(way.pk) == "unknown"
    joined.credit(5_000_000)
    flows.look_at_credit()
    due_now(way)
    assert flows.drain("money")["queued"] == 1
    due_now(way)
    flows.drain("money")
    way.refresh_from_db()
    assert (way.status, way.carrier) == ("accepted", "second") and len(second.sms()) == 1 and not joined.sms()
