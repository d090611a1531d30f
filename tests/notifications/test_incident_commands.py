"""What an operator types of incidents and maintenance."""

import io
import json
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from notifications.models import Incident, Maintenance
from tests.notifications.troubles import component, notices, opened, plan_on, planned, service

SAID = ("--text-fa", "سلام", "--text-en", "Hello")
WINDOW = ("--starts", "2099-11-28T02:00", "--ends", "2099-11-28T05:00")


@pytest.fixture
def web(db):
    return component()


def run(*words: str) -> dict:
    out = io.StringIO()
    call_command(*words, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_an_incident_from_its_opening_to_its_end(alice, carol, web):
    service(alice, plan_on(web))
    answer = run("incident", "open", "--component", "web", "--severity", "medium", *SAID, "--by", carol.ref)
    incident = Incident.objects.get()
    assert answer == {
        "ref": incident.ref,
        "status": "open",
        "changed": True,
        "url": incident.url,
        "affected": 1,
        "waiting_for_approval": 1,
    }
    component("mail", "Mail")
    more = ("--status", "identified", "--severity", "high", "--add-component", "mail")
    assert run("incident", "update", incident.ref, *more, "--by", carol.email)["status"] == "identified"
    incident.refresh_from_db()
    assert incident.severity == "high" and incident.components.count() == 2
    assert run("incident", "resolve", incident.ref, *SAID, "--by", carol.ref)["changed"] is True
    assert run("incident", "resolve", incident.ref, "--by", carol.ref)["changed"] is False
    assert [message for message, _status in notices(incident)][-1] == "incident_resolved"


def test_a_quiet_update_tells_nobody(alice, carol, web):
    service(alice, plan_on(web))
    incident = opened(web, by=carol)
    run("incident", "update", incident.ref, "--quiet", *SAID, "--by", carol.ref)
    assert len(notices(incident)) == 1 and incident.updates.count() == 2


def test_a_maintenance_from_the_plan_until_it_is_done(alice, carol, web):
    service(alice, plan_on(web))
    answer = run("maintenance", "plan", "--component", "web", *WINDOW, *SAID, "--by", carol.ref)
    maintenance = Maintenance.objects.get()
    assert (answer["status"], answer["waiting_for_approval"]) == ("announced", 1)
    assert maintenance.starts_at.isoformat() == "2099-11-27T22:30:00+00:00", "Tehran's clock"
    assert run("maintenance", "start", maintenance.ref, "--by", carol.ref)["status"] == "started"
    assert run("maintenance", "start", maintenance.ref, "--by", carol.ref)["changed"] is False
    assert run("maintenance", "finish", maintenance.ref, *SAID, "--by", carol.ref)["status"] == "done"


def test_it_can_be_moved_and_called_off(carol, web):
    maintenance = planned(web, by=carol)
    assert run("maintenance", "move", maintenance.ref, *WINDOW, "--by", carol.ref)["changed"] is True
    assert run("maintenance", "cancel", maintenance.ref, "--by", carol.ref)["status"] == "cancelled"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("open", "--component", "nope", "--severity", "low"), "known are: web"),
        (("open", "--component", "web", "--severity", "low", "--text-fa", "سلام"), "come together"),
        (("update", "nope"), "no incident nope"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(carol, web, words, why):
    with pytest.raises(CommandError, match=why):
        call_command("incident", *words, "--by", carol.ref)
    assert not Incident.objects.exists()


def test_only_a_member_of_staff_may(alice, web):
    for who in (alice.ref, alice.email, "nobody"):
        with pytest.raises(CommandError, match="no active member of staff"):
            call_command("incident", "open", "--component", "web", "--severity", "low", "--by", who)


def test_a_step_that_is_not_allowed_is_refused(carol, web):
    maintenance = planned(web, by=carol)
    with pytest.raises(CommandError, match="announced → done"):
        call_command("maintenance", "finish", maintenance.ref, "--by", carol.ref)


def test_a_window_in_the_past_is_refused(carol, web):
    past = ("--starts", "2020-01-01T02:00", "--ends", "2020-01-01T05:00")
    with pytest.raises(CommandError, match="over already"):
        call_command("maintenance", "plan", "--component", "web", *past, *SAID, "--by", carol.ref)


def test_in_words_it_says_who_is_told_and_what_waits(alice, carol, web, capsys):
    service(alice, plan_on(web))
    call_command("incident", "open", "--component", "web", "--severity", "low", "--by", carol.ref)
    said = capsys.readouterr().out
    assert "1 customers are affected" in said and "second person" in said and "/status/" in said
    assert alice.email not in said and carol.email not in said


@pytest.mark.parametrize(
    ("words", "code"), [(["--help"], 0), ([], 2), (["open"], 2), (["open", "--severity", "worst"], 2)]
)
def test_its_exit_codes(words, code):
    command = [sys.executable, "manage.py", "incident", *words]
    ended = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    assert ended.returncode == code, ended.stderr
    if code == 0:
        assert "open|update|resolve" in ended.stdout
