"""A call takes two people and one of few reasons; nobody can log one without."""

import json

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Company, Customer, Membership
from notifications import flows, privacy
from notifications.models import CallEvent, CallTask
from tests.base import make_customer

Status, Reason = CallTask.Status, CallTask.Reason


@pytest.fixture
def dave(db) -> Customer:
    """A second one of our staff."""
    return make_customer("dave@example.com", "+989121110004", language="en", is_staff=True)


@pytest.fixture
def task(alice, carol) -> CallTask:
    return flows.ask_for_call(customer=alice, number="mobile", reason="service_down", why="The disk is full", by=carol)


def steps(task: CallTask) -> list[tuple[str, object]]:
    return list(task.events.values_list("step", "by_id"))


def test_asked_approved_made(task, carol, dave):
    assert flows.approve_call(task=task, by=dave)
    assert flows.record_outcome(task=task, by=carol, outcome="spoken", note="She will look")
    task.refresh_from_db()
    assert (task.status, task.outcome, task.note) == ("made", "spoken", "She will look")
    assert (task.asked_by, task.approved_by, task.made_by) == (carol, dave, carol)
    assert steps(task) == [("asked", carol.pk), ("approved", dave.pk), ("made", carol.pk)]


def test_who_asks_cannot_decide(task, carol):
    for decide in (flows.approve_call, flows.refuse_call):
        with pytest.raises(flows.CannotCall):
            decide(task=task, by=carol)
    task.refresh_from_db()
    assert task.status == "asked"


def test_the_database_itself_wants_a_second_person(task, carol, dave):
    own = {"status": "approved", "approved_by": carol, "approved_at": timezone.now()}
    for wrong in (own, {"status": "approved"}, own | {"approved_by": dave, "approved_at": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            CallTask.objects.filter(pk=task.pk).update(**wrong)


@pytest.mark.parametrize("outcome", ["spoken", "no_answer"])
def test_nobody_can_log_a_call_without_an_approved_task(task, carol, outcome):
    with pytest.raises(ValueError, match="not allowed"):
        flows.record_outcome(task=task, by=carol, outcome=outcome)
    status = "made" if outcome == "spoken" else "not_reached"
    with pytest.raises(IntegrityError), transaction.atomic():
        CallTask.objects.filter(pk=task.pk).update(
            status=status, outcome=outcome, made_by=carol, made_at=timezone.now()
        )
    assert not CallTask.objects.filter(made_at__isnull=False).exists()


def test_nor_after_it_was_refused_or_cancelled(alice, carol, dave):
    for end in ("refuse_call", "cancel_call"):
        task = flows.ask_for_call(customer=alice, number="mobile", reason="data_at_risk", why="Disk fails", by=carol)
        assert getattr(flows, end)(task=task, by=dave)
        for later in (flows.approve_call, flows.start_voice_call):
            with pytest.raises((ValueError, RuntimeError, flows.CannotCall)):
                later(task=task, by=dave)
        with pytest.raises(ValueError, match="not allowed"):
            flows.record_outcome(task=task, by=carol, outcome="spoken")


def test_each_step_twice_is_once(task, carol, dave):
    assert (flows.approve_call(task=task, by=dave), flows.approve_call(task=task, by=dave)) == (True, False)
    outcome = {"task": task, "by": carol, "outcome": "no_answer"}
    assert (flows.record_outcome(**outcome), flows.record_outcome(**outcome)) == (True, False)
    assert task.events.count() == 3


def test_a_made_call_is_not_made_otherwise_later(task, carol, dave):
    flows.approve_call(task=task, by=dave)
    flows.record_outcome(task=task, by=carol, outcome="spoken")
    for outcome in ("no_answer", "wrong_number"):
        with pytest.raises(ValueError, match="not allowed"):
            flows.record_outcome(task=task, by=carol, outcome=outcome)
    with pytest.raises(ValueError, match="not allowed"):
        flows.cancel_call(task=task, by=carol)


def test_the_list_of_reasons_is_closed(task):
    assert set(Reason) == set(CallTask.PURPOSE) and len(Reason) == 6
    for field, value in (("reason", "special_offer"), ("number", "work"), ("outcome", "sold")):
        with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
            CallTask.objects.filter(pk=task.pk).update(**{field: value})


def test_who_asked_for_a_call_did_so_in_a_ticket_of_hers(alice, bob, carol):
    ask = {"customer": alice, "number": "mobile", "reason": "customer_asked", "why": "Wants to talk", "by": carol}
    with pytest.raises(flows.CannotCall):
        flows.ask_for_call(**ask)
    with pytest.raises(flows.CannotCall):
        flows.ask_for_call(**ask, ticket=flows.open_ticket(customer=bob, subject="s", text="t"))
    task = flows.ask_for_call(**ask, ticket=flows.open_ticket(customer=alice, subject="s", text="Please call me"))
    with pytest.raises(IntegrityError), transaction.atomic():
        CallTask.objects.filter(pk=task.pk).update(ticket=None)


def test_a_number_that_was_never_given_is_not_called(alice, carol):
    with pytest.raises(flows.CannotCall):
        flows.ask_for_call(customer=alice, number="landline", reason="service_down", why="Down", by=carol)


def test_a_step_is_never_changed(task):
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        CallEvent.objects.filter(task=task).update(step="approved")


def test_no_word_of_it_stands_in_clear(task, carol, dave):
    flows.approve_call(task=task, by=dave)
    flows.record_outcome(task=task, by=carol, outcome="spoken", note="She will look")
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM notifications_calltask t")
        (row,) = cursor.fetchone()
    assert "service_down" in row and "disk" not in row and "look" not in row and "9121110001" not in row


def test_it_is_handed_over_and_erased(task, alice, carol, dave):
    flows.approve_call(task=task, by=dave)
    flows.record_outcome(task=task, by=carol, outcome="spoken", note="She will look")
    said = json.dumps(privacy.export(alice))
    assert "The disk is full" in said and "She will look" in said
    privacy.erase(alice)
    task.refresh_from_db()
    assert (task.why, task.note, task.status) == (None, None, "made")


# --- what the customer sees ------------------------------------------------------------------------------------------


def made(task: CallTask, carol: Customer, dave: Customer, outcome: str = "spoken") -> CallTask:
    flows.approve_call(task=task, by=dave)
    flows.record_outcome(task=task, by=carol, outcome=outcome, note="for colleagues")
    return task


def test_alice_sees_when_and_why_we_called_and_what_came_of_it(task, carol, dave, alice_client):
    assert "We have not called you" in alice_client.get("/messages/calls/").content.decode()
    made(task, carol, dave)
    page = alice_client.get("/messages/calls/").content.decode()
    for word in ("A service is down", "The disk is full", "We spoke", "Mobile", "we will only call your mobile"):
        assert word in page
    assert "for colleagues" not in page and "/messages/calls/" in alice_client.get("/messages/").content.decode()


def test_bob_does_not(task, carol, dave, bob_client):
    made(task, carol, dave)
    assert "disk" not in bob_client.get("/messages/calls/").content.decode()


def test_the_page_needs_sign_in(anyone):
    assert anyone.get("/messages/calls/").headers["Location"].startswith("/accounts/login/")


def test_of_a_companys_calls_each_role_sees_its_own(alice, carol, dave, alice_client):
    company = Customer.objects.create(
        kind=Customer.Kind.COMPANY, name="Atlas Co", landline="+982188443322", language="en"
    )
    row = Company.objects.create(customer=company, national_id="10380284790", registration_number="12345")
    Membership.objects.create(company=row, person=alice, role="billing")
    for reason, why in (("service_down", "About a disk"), ("payment_problem", "About a payment")):
        task = flows.ask_for_call(customer=company, number="landline", reason=reason, why=why, by=carol)
        made(task, carol, dave, "no_answer")
    session = alice_client.session
    session["company"] = str(row.pk)
    session.save()
    page = alice_client.get("/messages/calls/").content.decode()
    assert "About a payment" in page and "About a disk" not in page and "Nobody answered" in page
