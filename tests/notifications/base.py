"""What tests of this room do again and again: sample words, a row at its next turn, a relay of their own."""

import contextlib
import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from notifications.models import Delivery, Event, Turn
from tests.base import database_url
from tests.world_client import World

ANSWER_S = 15  # seconds that a relay may take to say or do something
SAMPLES: dict[str, dict[str, Any]] = {
    "phone_code": {"code": "482913"},
    "confirm_email": {"url": "http://127.0.0.1:8000/accounts/confirm-email/Mk:secret/"},
    "account_exists": {},
    "password_reset": {"url": "http://127.0.0.1:8000/accounts/password/reset/key/secret/"},
    "password_changed": {},
    "contact_changed": {
        "what": "email",
        "url": "http://127.0.0.1:8000/accounts/undo/secret/",
        "until": "2026-11-30T10:00:00+00:00",
    },
    "contact_restored": {},
    "login_code": {"code": "482913"},
    "company_invitation": {
        "company": "Atlas Co",
        "role": "billing",
        "url": "http://127.0.0.1:8000/companies/invitations/x/",
    },
    "company_member": {"company": "Atlas Co", "person": "Sara", "role": "Billing", "what": "joined"},
    "suspended": {"why": "Reported as stolen by phone"},
    "suspension_lifted": {},
    "exported": {},
    "second_factor": {"what": "totp_activated"},
    "new_device": {"device": "Firefox on Linux", "at": "2026-11-23T10:00:00+00:00", "url": "http://127.0.0.1:8000/d/"},
    "photo_id_approved": {"reason": "", "url": "http://127.0.0.1:8000/profile/photo-id/"},
    "photo_id_expired": {"reason": "", "url": "http://127.0.0.1:8000/profile/photo-id/"},
    "photo_id_asked_again": {"reason": "A new card", "url": "http://127.0.0.1:8000/profile/photo-id/"},
    "photo_id_refused": {"reason": "Too dark", "url": "http://127.0.0.1:8000/profile/photo-id/"},
    "invoice_issued": {
        "number": "1405-000012",
        "total": 1_320_000,
        "due_on": "2026-12-01",
        "url": "http://127.0.0.1:8000/invoices/1405-000012/",
    },
    "payment_given_back": {
        "number": "1405-000012",
        "amount": 1_320_000,
        "url": "http://127.0.0.1:8000/invoices/1405-000012/",
    },
    "credit_added": {
        "number": "1405-000012",
        "amount": 1_320_000,
        "url": "http://127.0.0.1:8000/invoices/1405-000012/",
    },
    "payment_received": {
        "number": "1405-000012",
        "amount": 1_320_000,
        "receipt": "740012345678",
        "at": "2026-11-23T10:00:00+00:00",
        "url": "http://127.0.0.1:8000/invoices/1405-000012/",
    },
    "payment_not_applied": {
        "number": "1405-000012",
        "amount": 1_320_000,
        "url": "http://127.0.0.1:8000/invoices/1405-000012/",
    },
    "service_activated": {"name": "Hosting <S>", "url": "http://127.0.0.1:8000/services/x/"},
    "ticket_opened": {"number": "10001", "subject": "My <b>site</b>\n is slow", "url": "http://127.0.0.1:8000/t/"},
    "ticket_answered": {"number": "10001", "subject": "My site", "url": "http://127.0.0.1:8000/t/"},
    "ticket_digest": {
        "count": 12,
        "numbers": "10001, 10002, 10003, 10004, 10005",
        "more": 3,
        "lines": "10001: My site\n10002: http://evil.example/",
        "url": "http://127.0.0.1:8000/tickets/",
    },
    "ticket_closed": {"number": "10001", "subject": "My site", "url": "http://127.0.0.1:8000/t/"},
    "policy_published": {"version": 2, "effective": "2026-12-23T20:30:00+00:00", "url": "http://127.0.0.1:8000/p/"},
    **{
        f"incident_{what}": {
            "components": {"fa": "میزبانی وب، ایمیل", "en": "Web hosting, Mail"},
            "severity": {"fa": "از کار افتاده", "en": "Out of order"},
            "status": {"fa": "علت پیدا شد", "en": "Cause found"},
            "at": "2026-11-23T10:00:00+00:00",
            "until": "2026-11-23T11:40:00+00:00",
            "url": "http://127.0.0.1:8000/status/ab12cd34/",
        }
        for what in ("opened", "updated", "resolved")
    },
    **{
        f"maintenance_{what}": {
            "components": {"fa": "میزبانی وب، ایمیل", "en": "Web hosting, Mail"},
            "at": "2026-11-27T22:30:00+00:00",
            "until": "2026-11-28T01:30:00+00:00",
            "url": "http://127.0.0.1:8000/status/ab12cd34/",
        }
        for what in ("planned", "changed", "reminder", "started", "done", "cancelled")
    },
}

# What staff might write for `invoice_issued`.
OTHER_WORDS = {
    "subject": "Bill {{ number }}",
    "text": "{{ total }} until {{ due_on }}:\n\n{{ url }}",
    "sms": "Yaghout: bill {{ number }} of {{ total }}.",
}


def only(event: Event, channel: str) -> Delivery:
    return event.deliveries.get(channel=channel)


def due_now(delivery: Delivery) -> Delivery:
    """Time passes until its next turn."""
    Delivery.objects.filter(pk=delivery.pk).update(not_before=timezone.now())
    return Delivery.objects.get(pk=delivery.pk)


def all_due_now() -> None:
    Delivery.objects.filter(status__in=Delivery.DUE, not_before__isnull=False).update(not_before=timezone.now())


TURN = Turn(given=1, shut="", wait=0, is_probe=False, failures=0)


def claimed(delivery: Delivery) -> list[Delivery]:
    """Held by a worker of the usual carrier, which has not sent it yet."""
    slug = "smtp" if delivery.channel == "email" else "kavenegar"
    return Delivery.objects.filter(pk=delivery.pk).to_send().claim(1, slug, Delivery.LEASE[delivery.channel])


def lease_runs_out(delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))


def within(seconds: float, ask: Callable[[], Any]) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := ask():
            return found
        time.sleep(0.1)
    return ask()


class Relay:
    """`manage.py relay` as a process of its own; its words are in `log`."""

    def __init__(self, world: World, folder: Path) -> None:
        self.env = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "WORLD_URL": world.url,
            "WORLD_SMTP_PORT": str(world.smtp_port),
        }
        for name in ("EMAIL_URL", "KAVENEGAR_API_URL"):
            self.env.pop(name, None)
        self.log = folder / "relay.log"

    @contextlib.contextmanager
    def running(self, redis_url: str) -> Iterator[subprocess.Popen[bytes]]:
        with self.log.open("wb") as log:
            command = [sys.executable, "manage.py", "relay"]
            env = self.env | {"REDIS_URL": redis_url}
            process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=env, stdout=log, stderr=log)
            try:
                assert within(ANSWER_S, self.ears), self.log.read_text()
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
                code = process.wait(ANSWER_S)
        assert code == 0, self.log.read_text()

    @staticmethod
    def ears() -> list[int]:
        """The database's processes that listen for it."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN outbox'"
            )
            return [pid for (pid,) in cursor.fetchall()]
