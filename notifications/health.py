"""What `manage.py doctor` asks of this room: does mail leave, does SMS leave, does anything wait too long."""

import datetime as dt
import smtplib
from collections.abc import Callable

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from notifications import channels
from notifications.models import Affected, Carrier, Channel, Delivery, Incident, Maintenance
from notifications.models.trouble import Trouble
from portal.health import Sick

LATE = dt.timedelta(minutes=5)
LOOKS_BACK = dt.timedelta(days=7)
APPROVED_WITHIN = dt.timedelta(minutes=15)  # a notice that waits longer for its second person is late
LOW_CREDIT = 1_000_000  # Rials; a few hundred messages


def outbox() -> str:
    waiting = Delivery.objects.unclaimed()
    parked = Delivery.objects.filter(status=Delivery.Status.PARKED).count()
    late = waiting.filter(not_before__lt=Now() - LATE)
    if late.exists():
        raise Sick(f"{late.count()} messages wait for more than {LATE.seconds // 60} minutes; is the relay up?")
    if parked:
        raise Sick(f"{parked} messages are held for a person; see them in the staff screens")
    return f"{waiting.count()} messages wait, none for long"


def carriers() -> str:
    for carrier in Carrier.objects.out_of_credit():
        since = timezone.localtime(carrier.out_of_credit_at)
        raise Sick(f"the account at {carrier} is empty since {since:%H:%M}: pay it, and what waits goes on by itself")
    for carrier in Carrier.objects.down():
        raise Sick(f"{carrier} failed {carrier.failures} times in a row and is left alone for a while")
    return f"{Carrier.objects.count()} carriers in use, none is down"


def mail() -> str:
    with smtplib.SMTP(settings.SMTP["host"], settings.SMTP["port"], timeout=5) as server:
        code, _words = server.noop()
    if code != 250:
        raise Sick(f"the mail server answers {code}")
    return f"{settings.SMTP['host']} takes mail"


def sms() -> str:
    found = {carrier.slug: carrier.credit() for carrier in channels.sms_carriers()}
    said = ", ".join(f"{credit} Rials of credit at {slug}" for slug, credit in found.items())
    if min(found.values()) < LOW_CREDIT:
        raise Sick(f"only {said}")
    return said


def incidents() -> str:
    """Whoever is affected has a delivery by each channel: affected − told = 0, once it had time to be approved."""
    now = timezone.now()
    troubles: list[Trouble] = [
        *Incident.objects.filter(Q(resolved_at=None) | Q(resolved_at__gt=now - LOOKS_BACK)),
        *Maintenance.objects.announced().filter(ends_at__gt=now - LOOKS_BACK).exclude(status="cancelled"),
    ]
    gaps = []
    for trouble in troubles:
        late = Affected.objects.filter(at__lt=Now() - APPROVED_WITHIN)
        missed = {channel: late.missed(trouble, channel).count() for channel in Channel.values}
        if any(missed.values()):
            gaps.append(
                f"{trouble.source} lacks {', '.join(f'{n} by {channel}' for channel, n in missed.items() if n)}"
            )
    if gaps:
        raise Sick(f"{'; '.join(gaps)}; is a notice waiting for its second person?")
    return f"{len(troubles)} incidents and maintenances; everybody affected was told"


CHECKS: dict[str, Callable[[], str]] = {
    "outbox": outbox,
    "carriers": carriers,
    "mail": mail,
    "sms": sms,
    "incidents": incidents,
}
