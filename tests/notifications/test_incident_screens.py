"""Staff screens of incidents and maintenance: first who is affected, then the press."""

import pytest
from django.urls import reverse
from django.utils import timezone

from notifications.models import Component, Incident, Maintenance
from tests.base import make_customer, show_second_factor
from tests.notifications.troubles import approve, component, notices, opened, plan_on, planned, service

WORDS = {"text_fa": "کند است", "text_en": "It is slow"}


@pytest.fixture
def web(db):
    return component()


@pytest.fixture
def alices(alice, web):
    return service(alice, plan_on(web))


def address(row, page: str = "change") -> str:
    name = f"admin:notifications_{row._meta.model_name}_{page}"
    return reverse(name, args=[row.pk]) if getattr(row, "pk", None) and not isinstance(row, type) else reverse(name)


def test_opening_shows_how_many_are_affected_before_the_press(carol_client, alices, web):
    typed = {"components": [web.pk], "severity": "medium", **WORDS}
    asked = carol_client.post(address(Incident, "add"), typed).content.decode()
    assert "1 customer is affected." in asked and "as soon as a second person" in asked
    assert not Incident.objects.exists()
    done = carol_client.post(address(Incident, "add"), {**typed, "sure": str(web.pk)})
    incident = Incident.objects.get()
    assert done.status_code == 302 and notices(incident) == [("incident_opened", "ready")]


def test_another_choice_than_was_counted_asks_again(carol_client, alices, web):
    mail = component("mail", "Mail")
    typed = {"components": [web.pk, mail.pk], "severity": "low", "sure": str(web.pk)}
    assert carol_client.post(address(Incident, "add"), typed).status_code == 200
    assert not Incident.objects.exists()


def test_a_grave_one_says_that_it_goes_out_at_once(carol_client, alices, web):
    typed = {"components": [web.pk], "severity": "high"}
    assert "They are told at once" in carol_client.post(address(Incident, "add"), typed).content.decode()


def test_words_in_one_language_are_sent_back(carol_client, web):
    typed = {"components": [web.pk], "severity": "low", "text_fa": "سلام", "sure": str(web.pk)}
    assert "both languages" in carol_client.post(address(Incident, "add"), typed).content.decode()
    assert not Incident.objects.exists()


def test_an_update_and_the_end(carol_client, carol, alices, web):
    incident = opened(web, by=carol)
    page = carol_client.get(address(incident, "update")).content.decode()
    assert "Cause found" in page and 'value="resolved"' not in page
    typed = {"status": "identified", "severity": "medium", "is_public": "on", "tell": "on", **WORDS}
    carol_client.post(address(incident, "update"), {**typed, "sure": str(web.pk)})
    assert Incident.objects.get().status == "identified"
    carol_client.post(address(incident, "resolve"), {**WORDS, "sure": str(web.pk)})
    assert Incident.objects.get().status == "resolved"
    late = carol_client.post(address(incident, "update"), {**typed, "sure": str(web.pk)}, follow=True)
    assert "A colleague was faster" in late.content.decode()


def test_the_page_holds_the_proof_for_each_customer(carol_client, carol, alice, alices, web):
    incident = opened(web, by=carol)
    approve(incident, make_customer("dave@example.com", "+989121110004", is_staff=True))
    page = carol_client.get(address(incident)).content.decode()
    assert alice.ref in page and "On its way" in page and "incident_opened" in page
    assert alice.email not in page and alice.mobile not in page


def test_a_maintenance_by_its_buttons(carol_client, carol, alices, web):
    start = timezone.localtime() + timezone.timedelta(days=2)
    typed = {
        "components": [web.pk],
        "starts_at": f"{start:%Y-%m-%dT%H:%M}",
        "ends_at": f"{start + timezone.timedelta(hours=2):%Y-%m-%dT%H:%M}",
        "remind_before": "24",
        "about_fa": "سوییچ",
        "about_en": "Switch",
        "sure": str(web.pk),
    }
    assert carol_client.post(address(Maintenance, "add"), typed).status_code == 302
    maintenance = Maintenance.objects.get()
    assert maintenance.status == "planned" and notices(maintenance) == []
    for deed, status in (("announce", "announced"), ("start", "started"), ("finish", "done")):
        assert carol_client.get(address(maintenance, deed)).status_code == 200
        carol_client.post(address(maintenance, deed), {"sure": str(web.pk)})
        assert Maintenance.objects.get().status == status
    assert carol_client.get(address(maintenance)).status_code == 200


def test_it_can_be_moved(carol_client, carol, web):
    maintenance = planned(web, by=carol)
    typed = {"starts_at": "2099-11-28T02:00", "ends_at": "2099-11-28T01:00", "sure": str(web.pk)}
    assert "after the start" in carol_client.post(address(maintenance, "move"), typed).content.decode()
    carol_client.post(address(maintenance, "move"), {**typed, "ends_at": "2099-11-28T05:00"})
    assert Maintenance.objects.get().sequence == 1


def test_a_get_changes_nothing(carol_client, carol, web):
    maintenance = planned(web, by=carol)
    for deed in ("start", "move", "cancel"):
        carol_client.get(address(maintenance, deed))
    assert Maintenance.objects.get().status == "announced"


def test_who_may_only_look_presses_nothing(client, carol, web):
    incident = opened(web, by=carol)
    reader = make_customer("reader@example.com", "+989121110005", is_staff=True)
    client.force_login(reader)
    show_second_factor(client, reader)
    assert client.get(address(incident)).status_code == 403
    assert client.post(address(incident, "resolve"), {"sure": str(web.pk)}).status_code == 403
    assert client.get(address(Incident, "add")).status_code == 403


def test_components_are_edited_and_never_deleted(carol_client, web):
    assert carol_client.get(address(Component, "changelist")).status_code == 200
    assert carol_client.post(address(web, "delete"), {"post": "yes"}).status_code == 403
    for model in (Incident, Maintenance):
        assert carol_client.get(address(model, "changelist")).status_code == 200
