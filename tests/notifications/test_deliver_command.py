"""manage.py deliver: one pass, counted."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from notifications import flows
from notifications.models import Delivery, Event
from tests.notifications.base import Relay, claimed, due_now, lease_runs_out, only, within


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("deliver", *arguments, stdout=out)
    return out.getvalue()


def test_it_delivers_what_is_due_and_nothing_the_second_time(dana, tell, joined):
    tell(dana, "password_changed")
    assert json.loads(run("--json")) == {"accepted": 2, "waiting": 0}
    assert json.loads(run("--json")) == {"waiting": 0}
    assert run().strip() == "waiting: 0"


def test_it_fails_when_something_must_be_looked_at(dana, tell, joined):
    tell(dana, "password_changed")
    joined.next("kavenegar", "send", {"code": 413})
    with pytest.raises(SystemExit) as end:
        run()
    assert end.value.code == 1


def test_one_lane_is_delivered_alone(dana, tell, joined):
    tell(dana, "password_changed")
    tell(dana, "phone_code")
    assert json.loads(run("--json", "--lane", "codes")) == {"accepted": 1, "waiting": 2}


def test_codes_leave_first(dana, tell, joined):
    tell(dana, "policy_published")
    tell(dana, "phone_code")
    run()
    assert joined.sms()[0]["template"] == "phone-code-en"


def test_killed_in_the_middle_it_loses_and_doubles_nothing(dana, tell, joined, tmp_path):
    """kill -9 while the operator has the message and the answer is still on its way."""
    way = only(tell(dana, "password_changed"), "sms")
    Delivery.objects.exclude(pk=way.pk).delete()
    joined.next("kavenegar", "send", "timeout_after_commit")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "deliver"],
        cwd=settings.BASE_DIR,
        env=Relay(joined, tmp_path).env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert within(20, joined.sms)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    way.refresh_from_db()
    assert way.status == "sending"
    lease_runs_out(way)
    time.sleep(0.1)
    flows.sweep()
    assert flows.deliver(due_now(way).pk) in ("accepted", None)
    way.refresh_from_db()
    assert way.status == "accepted" and len(joined.sms()) == 1


def test_after_a_restore_what_was_told_before_is_held_and_nothing_is_sent(dana, tell, joined):
    tell(dana, "password_changed")
    claimed(only(tell(dana, "ticket_opened"), "sms"))
    restored_to = Event.objects.latest("at").at + dt.timedelta(microseconds=1)
    later = tell(dana, "phone_code")
    assert json.loads(run("--hold-before", restored_to.isoformat(), "--json")) == {"held": 4}
    assert set(Delivery.objects.exclude(event=later).values_list("status", "last_code")) == {("parked", "restored")}
    assert not joined.sms() and not joined.mail()
    assert json.loads(run("--json")) == {"accepted": 1, "waiting": 0}, "what was told since goes as ever"
    held = Delivery.objects.filter(event__message="password_changed", channel="sms").get()
    assert held.send_again(in_new_words=False) and flows.deliver(held.pk) == "accepted", "a person may let it go"


def test_a_moment_without_a_zone_is_no_moment(db):
    with pytest.raises(CommandError):
        run("--hold-before", "2026-11-27T10:00:00")


def test_without_a_database_it_says_one_line(joined, tmp_path):
    env = Relay(joined, tmp_path).env | {"DATABASE_URL": "postgresql://app@127.0.0.1:1/x"}
    done = subprocess.run(
        [sys.executable, "manage.py", "deliver"], cwd=settings.BASE_DIR, env=env, capture_output=True, text=True
    )
    assert done.returncode != 0 and len(done.stderr.strip().splitlines()) == 1, done.stderr
