"""Workers killed again and again in the middle of a crowd: nothing is lost, and no SMS is doubled."""

import os
import random
import subprocess
import sys
import time

from django.conf import settings
from django.db.models.functions import Now

from notifications import flows
from notifications.models import Delivery
from tests.notifications.base import Relay, all_due_now, within
from tests.notifications.test_batches import many, statuses

ROWS, KILLS = 4000, 6


def test_killed_at_random_in_a_crowd_it_loses_and_doubles_no_sms(dana, joined, tmp_path):
    many(dana, ROWS)
    dice = random.Random(os.urandom(8))
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "manage.py", "deliver", "--lane", "bulk"],
            cwd=settings.BASE_DIR,
            env=Relay(joined, tmp_path).env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert within(20, Delivery.objects.filter(status="sending").exists)
        time.sleep(dice.random() / 10)
        process.kill()
        process.wait()
        assert statuses().get("queued"), "killed too late to mean anything"
        Delivery.objects.filter(status="sending").update(lease_until=Now() - flows.HINT_LASTS)
        Delivery.objects.filter(status="unknown").update(lease_until=None, lease_by="")
    flows.tidy()
    for _ in range(3):
        all_due_now()
        flows.deliver_due()
    assert statuses() == {"accepted": ROWS}
    theirs = {str(sms["messageid"]): sms["localid"] for sms in joined.sms()}
    ours = dict(Delivery.objects.values_list("provider_ref", "local_ref"))
    assert theirs == ours and len(joined.sms()) == ROWS
