"""Learn what became of an SMS that a company accepted."""

import datetime as dt
import logging
from collections import Counter
from collections.abc import Collection

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from notifications import channels
from notifications.channels import Fate, Standing, TransportError
from notifications.models import Channel, Delivery, Receipt

from .carrying import ASK_FIRST as ASK_FIRST_S

log = logging.getLogger(__name__)

IDS_AT_MOST = 500
# Ages of an accepted SMS at which to ask what became of it; companies forget after the last.
ASK_FIRST = dt.timedelta(seconds=ASK_FIRST_S)
ASK_AT = [ASK_FIRST, *(dt.timedelta(minutes=m) for m in (1, 6, 30, 6 * 60, 48 * 60))]
ENDS = {
    Fate.DELIVERED: Receipt.State.DELIVERED,
    Fate.UNDELIVERED: Receipt.State.UNDELIVERED,
    Fate.BLOCKED: Receipt.State.BLOCKED,
}


def ask_operator() -> Counter[str]:
    """Ask each company what became of the SMS that it accepted, up to 500 a call."""
    found: Counter[str] = Counter()
    for carrier in channels.sms_carriers():
        its = Delivery.objects.to_ask_about().filter(carrier=carrier.slug).defer("recipient").order_by("not_before")
        while asked := list(its[:IDS_AT_MOST]):
            try:
                standings = {s.ref: s for s in carrier.standings([row.provider_ref for row in asked])}
            except TransportError as error:
                log.warning("%s does not say what became of %d SMS (%s)", carrier.slug, len(asked), error.code)
                break
            for delivery in asked:
                found[_learn(delivery, standings.get(delivery.provider_ref))] += 1
    return found


def _learn(delivery: Delivery, standing: Standing | None) -> str:
    if standing is None or standing.state not in ENDS:
        age = timezone.now() - (delivery.accepted_at or timezone.now())
        later = next((at for at in ASK_AT if at > age), None)
        delivery.ask_later(timezone.now() + later - age if later else None)
        return str(delivery.status)
    with transaction.atomic():
        Receipt.objects.note(delivery.carrier, delivery.provider_ref, ENDS[standing.state], standing.code)
        if standing.state == Fate.DELIVERED:
            delivery.arrive(timezone.now(), standing.code)
        else:
            delivery.fail(standing.code, is_blocked=standing.state == Fate.BLOCKED)
    return str(delivery.status)


def hint(carrier: str, refs: Collection[str]) -> int:
    """Somebody says that these messages came to their end: ask the company now. Returns how many it is asked about.

    Nothing else follows from a hint, so that a forged, repeated or late one changes nothing.
    """
    theirs = Delivery.objects.filter(status=Delivery.Status.ACCEPTED, channel=Channel.SMS, provider_ref__in=refs)
    later = Q(not_before=None) | Q(not_before__gt=Now())
    return theirs.filter(later, carrier=carrier).update(not_before=Now())
