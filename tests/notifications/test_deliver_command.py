"""manage.py deliver: one pass, counted."""

import json
import os
import signal
import subprocess
import sys
import time
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command

from notifications import flows
from notifications.models import Delivery
from tests.notifications.base import Relay, due_now, lease_runs_out, only, within


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


def test_without_a_database_it_says_one_line(joined, tmp_path):
    env = Relay(joined, tmp_path).env | {"DATABASE_URL": "postgresql://app@127.0.0.1:1/x"}
    done = subprocess.run(
        [sys.executable, "manage.py", "deliver"], cwd=settings.BASE_DIR, env=env, capture_output=True, text=True
    )
    assert done.returncode != 0 and len(done.stderr.strip().splitlines()) == 1, done.stderr
