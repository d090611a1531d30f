"""Learn what became of an SMS that the operator accepted."""

import datetime as dt
import logging
from collections import Counter

from django.utils import timezone

from notifications.channels import TransportError, sms_carriers
from notifications.channels.kavenegar import BLOCKED, DELIVERED, IDS_AT_MOST, NOT_DELIVERED, Standing
from notifications.models import Delivery

from .carrying import ASK_FIRST as ASK_FIRST_S

log = logging.getLogger(__name__)

# Ages of an accepted SMS at which to ask what became of it; the operator forgets after the last.
ASK_FIRST = dt.timedelta(seconds=ASK_FIRST_S)
ASK_AT = [ASK_FIRST, *(dt.timedelta(minutes=m) for m in (1, 6, 30, 6 * 60, 48 * 60))]


def ask_operator() -> Counter[str]:
    """Learn what became of SMS that the operator accepted, up to 500 a call."""
    found: Counter[str] = Counter()
    while asked := list(Delivery.objects.to_ask_about().defer("recipient").order_by("not_before")[:IDS_AT_MOST]):
        try:
            standings = {s.ref: s for s in sms_carriers()[0].standings([row.provider_ref for row in asked])}
        except TransportError as error:
            log.warning("the operator does not say what became of %d SMS (%s)", len(asked), error.code)
            break
        for delivery in asked:
            found[_learn(delivery, standings.get(delivery.provider_ref))] += 1
    return found


def _learn(delivery: Delivery, standing: Standing | None) -> str:
    status = standing.status if standing else 0
    if status == DELIVERED:
        delivery.arrive(timezone.now())
    elif status == BLOCKED or status in NOT_DELIVERED:
        delivery.fail(str(status))
    else:
        age = timezone.now() - (delivery.accepted_at or timezone.now())
        later = next((at for at in ASK_AT if at > age), None)
        delivery.ask_later(timezone.now() + later - age if later else None)
    return str(delivery.status)
