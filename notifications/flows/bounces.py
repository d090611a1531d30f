"""Letters that came back: what it means for the message, and when we stop writing to an address."""

import datetime as dt
import logging
import poplib
from collections import Counter
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from notifications.channels import bounces
from notifications.channels.bounces import Bounce
from notifications.models import MAIL, Channel, Delivery, Receipt, Suppression

log = logging.getLogger(__name__)
S, State = Delivery.Status, Receipt.State

IN_A_ROW, WITHIN = 3, dt.timedelta(days=7)  # soft ones, until we stop
# Permanent for the letter and not for the address: size, content, and what the other side thinks of us (RFC 3463).
ABOUT_THE_LETTER = ("5.3.4", "5.6.", "5.7.")
FULL = ("5.2.2", "5.2.3")  # a mailbox is emptied one day, whatever its server calls permanent


def read_bounces() -> Counter[str]:
    """Empty the mailbox of letters that came back."""
    found: Counter[str] = Counter()
    if settings.BOUNCES is None:
        return found
    try:
        for raw in bounces.letters(settings.BOUNCES):
            bounce = bounces.report(raw)
            found[_learn(bounce) if bounce else "ignored"] += 1
    except (OSError, poplib.error_proto) as error:
        log.warning("the mailbox of letters that came back does not answer (%s)", type(error).__name__)
    return found


def _state(bounce: Bounce) -> Receipt.State:
    if bounce.code.startswith("4") or bounce.code in FULL or not bounce.is_final:
        return State.SOFT
    return State.REFUSED if bounce.code.startswith(ABOUT_THE_LETTER) else State.HARD


def _learn(bounce: Bounce) -> str:
    state = _state(bounce)
    with transaction.atomic():
        sent = Delivery.objects.filter(channel=Channel.EMAIL, status__in=(S.ACCEPTED, S.UNDELIVERED))
        delivery = sent.select_for_update(of=("self",)).select_related("reader").filter(pk=bounce.delivery_id).first()
        if delivery is None:
            return "ignored"
        if bounce.is_final:
            delivery.fail(bounce.code)
        return state.value if count_against(delivery, state, bounce.code) else "repeated"


def count_against(delivery: Delivery, state: Receipt.State, code: str) -> bool:
    """Write down that a letter was refused or came back, and stop writing to the address when that is enough. False
    when it was written down before.
    """
    ref = delivery.provider_ref or f"<{delivery.local_ref}>"
    if not Receipt.objects.note(MAIL, ref, state, code):
        return False
    if _is_still_theirs(delivery) and (state == State.HARD or (state == State.SOFT and _is_one_too_many(delivery))):
        reason = Suppression.Reason.HARD if state == State.HARD else Suppression.Reason.SOFT
        stop = Suppression(reader=delivery.reader, channel=delivery.channel, reason=reason, code=code[:20])
        Suppression.objects.bulk_create([stop], ignore_conflicts=True)
    return True


def _is_still_theirs(delivery: Delivery) -> bool:
    """Whether it went to the address that its reader has now, and not to one given up, or one that was only tried."""
    return delivery.reader is not None and (delivery.at_account or delivery.recipient == delivery.reader.email)


def _is_one_too_many(delivery: Delivery) -> bool:
    theirs = Delivery.objects.filter(reader=delivery.reader, channel=delivery.channel)
    sent = theirs.filter(status__in=(S.ACCEPTED, S.UNDELIVERED), event__at__gt=Now() - WITHIN)
    last = sent.only("local_ref", "provider_ref").order_by("-event__at")[:IN_A_ROW]
    refs = [each.provider_ref or f"<{each.local_ref}>" for each in last]
    return Receipt.objects.filter(carrier=MAIL, ref__in=refs, state=State.SOFT).count() == IN_A_ROW


def lift_suppression(*, reader: Any, channel: str, why: str, by: Any = None) -> bool:
    """Write to this address again; `why` is of Suppression.Lift. False when nothing stood in the way."""
    theirs = Suppression.objects.open().filter(reader=reader, channel=channel)
    return bool(theirs.update(lifted_at=Now(), lifted_by=by, lifted_why=why))
