"""An incident is told to exactly those whose services it touches, and it can be proven."""

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from notifications import flows
from notifications.health import incidents as check
from notifications.models import Affected, Broadcast, Delivery, Incident, IncidentUpdate
from notifications.models.trouble import ForbiddenStep
from portal.health import Sick
from tests.base import make_customer
from tests.notifications.troubles import (
    WORDS,
    approve,
    component,
    heard,
    notices,
    opened,
    plan_on,
    service,
    ways,
    write,
)


@pytest.fixture
def dave(db):
    return make_customer("dave@example.com", "+989121110004", language="en", is_staff=True, is_superuser=True)


@pytest.fixture
def web(db):
    return component()


@pytest.fixture
def mail(db):
    return component("mail", "Mail")


@pytest.fixture
def alices(alice, web):
    return service(alice, plan_on(web))


@pytest.fixture
def bobs(bob, mail):
    return service(bob, plan_on(mail))


def test_exactly_the_owners_of_affected_services_are_told(alice, bob, carol, dave, alices, bobs, web):
    incident = opened(web, by=carol)
    assert notices(incident) == [("incident_opened", "ready")]
    assert heard(alice) == [], "nobody hears of it before a second person approved"
    approve(incident, dave)
    assert heard(alice) == ["incident_opened"] and ways(alice) == ["email", "sms"]
    assert heard(bob) == [] and heard(carol) == []


def test_a_second_person_must_approve(carol, alices, web):
    incident = opened(web, by=carol)
    with pytest.raises(flows.NotAllowed):
        approve(incident, carol)
    assert notices(incident) == [("incident_opened", "ready")]


def test_a_grave_one_goes_out_at_once_and_is_urgent(alice, carol, alices, web):
    incident = opened(web, by=carol, severity="high")
    write()
    assert heard(alice) == ["incident_opened"]
    assert Broadcast.objects.get(source=incident.source).is_urgent


@pytest.mark.parametrize("severity", ["low", "medium"])
def test_a_lesser_one_is_not_urgent(carol, alices, web, severity):
    incident = opened(web, by=carol, severity=severity)
    assert not Broadcast.objects.get(source=incident.source).is_urgent


def test_whoever_is_affected_later_is_told_and_nobody_twice(alice, bob, carol, dave, alices, bobs, web, mail):
    incident = opened(web, by=carol)
    approve(incident, dave)
    flows.update_incident(incident=incident, by=carol, add_components=[mail], tell=False)
    approve(incident, dave)
    assert heard(alice) == ["incident_opened"], "she knew already"
    assert heard(bob) == ["incident_opened"]
    flows.update_incident(incident=incident, by=carol, add_components=[mail], tell=False)
    approve(incident, dave)
    assert heard(alice) == heard(bob) == ["incident_opened"]


def test_whoever_took_it_up_before_the_first_approval_is_told_once(alice, bob, carol, dave, alices, bobs, web, mail):
    """The later circle has a notice of its own; the earlier one still waits and stays."""
    incident = opened(web, by=carol)
    flows.update_incident(incident=incident, by=carol, add_components=[mail], tell=False)
    approve(incident, dave)
    assert heard(alice) == heard(bob) == ["incident_opened"]


def test_an_update_replaces_what_nobody_approved_yet(alice, carol, dave, alices, web):
    incident = opened(web, by=carol)
    flows.update_incident(incident=incident, by=carol, status="identified", **WORDS)
    assert notices(incident) == [("incident_opened", "killed"), ("incident_updated", "ready")]
    approve(incident, dave)
    assert heard(alice) == ["incident_updated"]
    assert not Affected.objects.untold(incident).exists()


def test_a_note_among_us_tells_nobody(carol, dave, alices, web):
    incident = opened(web, by=carol)
    approve(incident, dave)
    flows.update_incident(incident=incident, by=carol, is_public=False, **WORDS)
    assert len(notices(incident)) == 1
    assert [update.is_public for update in incident.updates.all()] == [False, True]


def test_it_can_become_grave(alice, carol, alices, web):
    incident = opened(web, by=carol)
    flows.update_incident(incident=incident, by=carol, severity="high", **WORDS)
    write()
    assert heard(alice) == ["incident_updated"]


def test_the_end_is_told_with_its_times_and_twice_is_once(alice, carol, dave, alices, web):
    incident = opened(web, by=carol)
    approve(incident, dave)
    assert flows.resolve_incident(incident=incident, by=carol, **WORDS)
    assert not flows.resolve_incident(incident=incident, by=dave, **WORDS)
    approve(incident, dave)
    assert heard(alice) == ["incident_opened", "incident_resolved"]
    context = Broadcast.objects.get(message="incident_resolved").context
    assert context["at"] < context["until"] and context["components"]["en"] == "Web hosting"
    assert [update.now for update in incident.updates.all()] == ["resolved", "open"]


def test_what_is_over_stays_over(carol, alices, web):
    incident = opened(web, by=carol)
    flows.resolve_incident(incident=incident, by=carol)
    with pytest.raises(ForbiddenStep):
        flows.update_incident(incident=incident, by=carol, status="monitoring")
    with pytest.raises(IntegrityError), transaction.atomic():
        Incident.objects.update(status="open")


def test_staffs_words_are_on_the_page_and_not_in_the_notice(carol, alices, web):
    incident = opened(web, by=carol, text_fa="دیسک خراب", text_en="A broken disk")
    context = str(Broadcast.objects.get(source=incident.source).context)
    assert "disk" not in context and "دیسک" not in context


def test_without_an_owner_nobody_is_told(carol, web):
    incident = opened(web, by=carol)
    assert notices(incident) == []
    assert flows.resolve_incident(incident=incident, by=carol)


@pytest.mark.parametrize("status", ["pending", "suspended", "ended"])
def test_what_does_not_run_is_not_affected(alice, carol, web, status):
    service(alice, plan_on(web), status=status)
    assert notices(opened(web, by=carol)) == []


def test_what_was_said_stays_said(carol, web):
    update = opened(web, by=carol).updates.get()
    for change in (lambda: IncidentUpdate.objects.update(text_en="Nothing was"), update.delete):
        with pytest.raises(DatabaseError, match="stays"), transaction.atomic():
            change()


def test_words_come_in_both_languages_or_not_at_all(carol, web):
    with pytest.raises(IntegrityError), transaction.atomic():
        opened(web, by=carol, text_fa="")


def test_the_proof_finds_who_was_left_out(alice, carol, dave, alices, web):
    """Affected − told = 0 by each channel; remove one recipient and it shows."""
    incident = opened(web, by=carol)
    approve(incident, dave)
    long_ago(incident)
    assert "everybody affected was told" in check()
    assert not Affected.objects.missed(incident, "sms").exists()
    Delivery.objects.filter(event__customer=alice, channel="sms").delete()
    assert Affected.objects.missed(incident, "sms").get().customer == alice
    assert not Affected.objects.missed(incident, "email").exists()
    with pytest.raises(Sick, match=f"{incident.source} lacks 1 by sms"):
        check()


def test_whose_notice_was_stopped_is_not_told(alice, carol, dave, alices, web):
    """It stands in the outbox, but it never left: that is no proof."""
    incident = opened(web, by=carol)
    approve(incident, dave)
    assert not Affected.objects.untold(incident).exists()
    broadcast = Broadcast.objects.get(source=incident.source)
    flows.kill_broadcast(broadcast=broadcast, by=carol, why=Broadcast.Why.WORDS)
    assert Delivery.objects.filter(event__customer=alice).count() == 2
    assert Affected.objects.missed(incident, "email").get().customer == alice
    assert Affected.objects.untold(incident).get().customer == alice


def test_the_doctor_says_when_a_notice_waits_too_long_for_its_second_person(carol, alices, web):
    incident = opened(web, by=carol)
    assert "everybody" in check(), "it has a quarter of an hour"
    long_ago(incident)
    with pytest.raises(Sick, match="second person"):
        check()


def test_each_customers_proof_by_channel(alice, carol, dave, alices, web):
    incident = opened(web, by=carol)
    proof = Affected.objects.with_proof(incident)
    assert [(row.email, row.sms) for row in proof] == [("missing", "missing")]
    approve(incident, dave)
    Delivery.objects.filter(channel="email").update(status="delivered")
    assert [(row.email, row.sms) for row in proof.all()] == [("reached", "waits")]
    Delivery.objects.filter(channel="sms").update(status="undelivered")
    assert [(row.email, row.sms) for row in proof.all()] == [("reached", "failed")]


def long_ago(incident: Incident) -> None:
    with transaction.atomic():
        Affected.objects.of(incident).update(at="2026-01-01T00:00:00Z")
