"""A maintenance is announced, reminded of, begun and finished; moved, it is told again."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from notifications import flows
from notifications.models import Broadcast, Delivery, Maintenance
from notifications.models.trouble import ForbiddenStep
from tests.base import make_customer
from tests.notifications.troubles import (
    ABOUT,
    WORDS,
    approve,
    component,
    heard,
    notices,
    plan_on,
    planned,
    service,
    write,
)


@pytest.fixture
def dave(db):
    return make_customer("dave@example.com", "+989121110004", language="en", is_staff=True, is_superuser=True)


@pytest.fixture
def web(db):
    return component()


@pytest.fixture
def alices(alice, web):
    return service(alice, plan_on(web))


def comes_near(maintenance: Maintenance, hours: float = 20) -> None:
    """Time passes until so many hours before it."""
    start = timezone.now() + dt.timedelta(hours=hours)
    Maintenance.objects.filter(pk=maintenance.pk).update(starts_at=start, ends_at=start + dt.timedelta(hours=2))
    maintenance.refresh_from_db()


def test_it_is_told_step_by_step(alice, bob, carol, dave, alices, web):
    maintenance = planned(web, by=carol)
    approve(maintenance, dave)
    comes_near(maintenance)
    assert flows.remind_of_maintenance() == 1
    assert flows.start_maintenance(maintenance=maintenance, by=carol)
    assert flows.finish_maintenance(maintenance=maintenance, by=carol, **WORDS)
    write()
    steps = ["maintenance_planned", "maintenance_reminder", "maintenance_started", "maintenance_done"]
    assert heard(alice) == steps and heard(bob) == []


def test_a_plan_is_ours_alone_until_it_is_announced(carol, alices, web, anyone):
    start = timezone.now() + dt.timedelta(days=2)
    window = {"starts_at": start, "ends_at": start + dt.timedelta(hours=1)}
    maintenance = flows.plan_maintenance(components=[web], by=carol, **window, **ABOUT)
    assert notices(maintenance) == []
    assert anyone.get(maintenance.get_absolute_url()).status_code == 404
    assert flows.announce_maintenance(maintenance=maintenance, by=carol)
    assert not flows.announce_maintenance(maintenance=maintenance, by=carol)
    assert anyone.get(maintenance.get_absolute_url()).status_code == 200


def test_it_is_reminded_of_once_and_not_too_early(alice, carol, dave, alices, web):
    maintenance = planned(web, by=carol)
    approve(maintenance, dave)
    assert flows.remind_of_maintenance() == 0
    comes_near(maintenance)
    assert (flows.remind_of_maintenance(), flows.remind_of_maintenance()) == (1, 0)
    write()
    assert heard(alice) == ["maintenance_planned", "maintenance_reminder"]


def test_what_has_begun_or_is_over_is_not_reminded_of(carol, dave, alices, web):
    maintenance = planned(web, by=carol)
    approve(maintenance, dave)
    comes_near(maintenance, hours=-1)
    assert flows.remind_of_maintenance() == 0


def test_the_second_persons_yes_stands_for_the_steps(carol, dave, alices, web):
    maintenance = planned(web, by=carol)
    approve(maintenance, dave)
    flows.start_maintenance(maintenance=maintenance, by=dave)
    started = Broadcast.objects.get(message="maintenance_started")
    assert (started.prepared_by, started.approved_by) == (carol, dave)


def test_steps_of_an_unapproved_plan_wait_like_it(alice, carol, alices, web):
    maintenance = planned(web, by=carol)
    comes_near(maintenance)
    assert flows.remind_of_maintenance() == 1
    write()
    assert heard(alice) == []
    assert notices(maintenance) == [("maintenance_planned", "killed"), ("maintenance_reminder", "ready")]


def test_moved_it_is_told_again_and_reminded_of_again(alice, carol, dave, alices, web):
    maintenance = planned(web, by=carol)
    approve(maintenance, dave)
    comes_near(maintenance)
    flows.remind_of_maintenance()
    later = {"starts_at": timezone.now() + dt.timedelta(days=5), "ends_at": timezone.now() + dt.timedelta(days=6)}
    assert flows.reschedule_maintenance(maintenance=maintenance, by=carol, **later, **WORDS)
    assert not flows.reschedule_maintenance(maintenance=maintenance, by=carol, **later, **WORDS)
    approve(maintenance, dave)
    assert heard(alice)[-1] == "maintenance_changed"
    assert (maintenance.sequence, maintenance.reminded_at) == (1, None)
    comes_near(maintenance)
    assert flows.remind_of_maintenance() == 1


def test_moved_before_it_was_approved_only_the_new_time_is_told(alice, carol, dave, alices, web):
    maintenance = planned(web, by=carol)
    later = {"starts_at": timezone.now() + dt.timedelta(days=5), "ends_at": timezone.now() + dt.timedelta(days=6)}
    flows.reschedule_maintenance(maintenance=maintenance, by=carol, **later)
    approve(maintenance, dave)
    assert heard(alice) == ["maintenance_changed"]


def test_called_off_only_who_had_heard_of_it_is_told(alice, bob, carol, dave, alices, web):
    maintenance = planned(web, by=carol)
    approve(maintenance, dave)
    Delivery.objects.update(status="delivered")
    service(bob, plan_on(web))
    assert flows.cancel_maintenance(maintenance=maintenance, by=carol, **WORDS)
    assert not flows.cancel_maintenance(maintenance=maintenance, by=carol, **WORDS)
    approve(maintenance, dave)
    assert heard(alice) == ["maintenance_planned", "maintenance_cancelled"] and heard(bob) == []


def test_called_off_before_it_was_approved_nobody_is_told(alice, carol, alices, web):
    maintenance = planned(web, by=carol)
    flows.cancel_maintenance(maintenance=maintenance, by=carol)
    assert notices(maintenance) == [("maintenance_planned", "killed")] and heard(alice) == []


def test_called_off_while_it_goes_out_the_rest_never_hears_of_it(alice, carol, dave, alices, web):
    maintenance = planned(web, by=carol)
    approve(maintenance, dave)
    flows.cancel_maintenance(maintenance=maintenance, by=carol)
    assert notices(maintenance) == [("maintenance_planned", "killed")]
    assert set(Delivery.objects.values_list("status", "last_code")) == {("suppressed", "killed")}


def test_under_way_it_is_neither_moved_nor_called_off(carol, dave, alices, web):
    maintenance = planned(web, by=carol)
    flows.start_maintenance(maintenance=maintenance, by=carol)
    later = {"starts_at": timezone.now(), "ends_at": timezone.now() + dt.timedelta(days=1)}
    with pytest.raises(ForbiddenStep):
        flows.cancel_maintenance(maintenance=maintenance, by=carol)
    with pytest.raises(ForbiddenStep):
        flows.reschedule_maintenance(maintenance=maintenance, by=carol, **later)
    with pytest.raises(ForbiddenStep):
        flows.announce_maintenance(maintenance=maintenance, by=carol)


def test_it_ends_after_it_starts(carol, web):
    with pytest.raises(IntegrityError), transaction.atomic():
        planned(web, by=carol, ends_at=timezone.now())


def test_a_new_owner_hears_of_it_with_the_reminder(alice, bob, carol, dave, alices, web):
    maintenance = planned(web, by=carol)
    approve(maintenance, dave)
    service(bob, plan_on(web))
    comes_near(maintenance)
    flows.remind_of_maintenance()
    write()
    assert heard(bob) == ["maintenance_reminder"]
