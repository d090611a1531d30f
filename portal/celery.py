"""The queue, and the one list of periodic work."""

import os
import sys
from typing import Any

from celery import Celery
from celery.signals import worker_init
from kombu.exceptions import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# The lanes of messages, and `default` for periodic work.
QUEUES = ("codes", "money", "tickets", "bulk", "default")
# Tasks that are not `default`; a delivery's lane is named with each hint (notifications/management/commands/relay.py).
app.conf.task_routes = {"billing.verify": {"queue": "money"}}

# name of the task → seconds between two runs. Each is harmless to run twice, and catches up when it was missed.
PERIODIC = {
    "notifications.sweep": 10,
    "notifications.fan_out": 5,
    "notifications.ask_operator": 15,
    "notifications.follow_voice_calls": 15,
    "notifications.read_bounces": 60,
    "notifications.look_at_credit": 60,
    "notifications.remind_of_maintenance": 60,
    "billing.reconcile": 30,
    "billing.forget_tokens": 3600,
    "accounts.forget_unfinished": 3600,
    "accounts.forget_contact_changes": 3600,
    "accounts.forget_invitations": 3600,
    "accounts.tidy_photo_ids": 3600,
    "portal.clear_sessions": 24 * 3600,
    "portal.shred_orphans": 24 * 3600,
    "devices.forget_old": 24 * 3600,
}
app.conf.beat_schedule = {
    name: {"task": name, "schedule": every, "options": {"expires": every}} for name, every in PERIODIC.items()
}


def broker_answers() -> bool:
    """Whether Redis takes a connection within a second."""
    try:
        with app.connection_for_write(connect_timeout=1) as broker:
            broker.ensure_connection(max_retries=1, timeout=1)
    except OperationalError:
        return False
    return True


@worker_init.connect  # type: ignore[untyped-decorator]
def _check_keys(**_: Any) -> None:
    from portal.sealed.sentinel import WrongKeys, guard

    try:
        guard()
    except WrongKeys as error:
        sys.exit(f"refused to start: {error}")
