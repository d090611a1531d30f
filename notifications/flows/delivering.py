"""Deliver what was told: a single row when it is urgent, and in batches when many are due."""

import datetime as dt
import time
import uuid
from collections import Counter
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max, Q
from django.db.models.functions import Now

from notifications.channels import SmsCarrier, TransportError
from notifications.messages import CATALOGUE
from notifications.models import Attempt, Carrier, Channel, Delivery, DeliveryQuerySet, Event, Lane, Outcome, Receipt

from .bounces import count_against
from .carrying import AT_ONCE, LOOK_UP_AFTER, again, carriers, carry, choose, doubted, sms_carrier
from .preferences import send_digests

S = Delivery.Status
REMEMBERED = dt.timedelta(hours=12)  # how long the operator knows our numbers
HINT_LASTS = dt.timedelta(seconds=20)  # a hint that led to nothing within this is taken for lost
ROWS_AT_ONCE = 500  # what one look-up takes
LONGEST_PUSH = 15  # seconds until a row that no carrier takes now is looked at again


def deliver(delivery_id: uuid.UUID | str) -> str | None:
    """One try. The row is claimed and committed first, the provider is called outside any transaction, and the answer
    counts only while the claim is still ours. Returns the new status; None when it was not this row's turn.
    """
    this = Delivery.objects.filter(pk=delivery_id)
    row = this.free().filter(not_before__lte=Now()).first()
    if row is None or this.out_of_date().exists():
        _expire(this)
        return None
    if this.in_doubt().exists():
        return next(iter(look_up(this).elements()), None)
    not_again, only = (row.carrier, "") if row.is_code else ("", row.carrier)
    slug, turn = choose(row.channel, row.lane, 1, not_again=not_again, only=only)
    if not turn.given:
        wait = dt.timedelta(seconds=min(LONGEST_PUSH, max(0.1, turn.wait) if turn.shut != "credit" else LONGEST_PUSH))
        return S.QUEUED.value if this.unclaimed().update(not_before=Now() + wait, handed_until=None) else None
    rows = this.to_send().claim(1, slug, Delivery.LEASE[row.channel])
    outcomes = carry(rows, slug, turn) if rows else []
    status = settle(outcomes).get(row.pk)
    if status in Delivery.DUE and outcomes[0].wait == 0:  # by the next carrier, at once
        return deliver(delivery_id)
    return status


def settle(outcomes: Sequence[Outcome]) -> dict[uuid.UUID, str]:
    """Write down what came of claimed rows; codes and links go for good once no delivery needs them any more."""
    with transaction.atomic():
        found = Delivery.objects.settle(outcomes)
        ended = [o.delivery for o in outcomes if found.get(o.delivery.pk) not in (None, *Delivery.UNSENT)]
        _forget({row.event for row in ended if CATALOGUE[row.event.message].secrets})
        for row, status, code, *_more in outcomes:
            if row.channel == Channel.EMAIL and (status, found.get(row.pk)) == (S.UNDELIVERED, S.UNDELIVERED):
                count_against(row, Receipt.State.SOFT, code or "")
    return found


def _forget(events: set[Event]) -> None:
    for event in events:
        event.forget(CATALOGUE[event.message].secrets)


def _expire(rows: DeliveryQuerySet) -> int:
    expired = 0
    for row in rows.out_of_date().select_related("event")[:ROWS_AT_ONCE]:
        with transaction.atomic():
            if row.expire():
                _forget({row.event})
                expired += 1
    return expired


# --- batches ----------------------------------------------------------------------------------------------------------


def drain(lane: str, *, within: float | None = None) -> Counter[str]:
    """Deliver what is due of a lane, batch by batch, until nothing is left or `within` seconds have passed.

    Any number of workers may do so at once: no row is in two batches.
    """
    outcomes, ends = Counter[str](), time.monotonic() + within if within else None
    waits: dict[str, float | None] = dict.fromkeys(Channel.values, 0.0)
    while waits and not (ends and time.monotonic() > ends):
        for channel in list(waits):
            waits[channel] = _batch(lane, channel, outcomes)
        waits = {channel: wait for channel, wait in waits.items() if wait is not None}
        if wait := min((wait or 0 for wait in waits.values()), default=0):
            time.sleep(min(wait, 1))
    ours = Delivery.objects.filter(lane=lane)
    # What only another company than the first may have goes to that one alone.
    for pk in ours.to_send().filter(carrier__in=carriers(Channel.SMS)[1:]).values_list("pk", flat=True)[:ROWS_AT_ONCE]:
        outcomes.update(filter(None, [deliver(pk)]))
    return outcomes + look_up(ours)


def _batch(lane: str, channel: str, outcomes: Counter[str]) -> float | None:
    """One batch. Seconds until the next is worth a try; None when nothing is due or no carrier can be used."""
    slug, turn = choose(channel, lane, AT_ONCE[Channel(channel)])
    if not turn.given:
        return None if turn.shut else max(0.01, turn.wait)
    elsewhere = [other for other in carriers(channel) if other != slug]
    due = Delivery.objects.to_send().filter(lane=lane, channel=channel).exclude(carrier__in=elsewhere)
    rows = due.claim(turn.given, slug, Delivery.LEASE[channel])
    if len(rows) < turn.given:
        Carrier.objects.give_back(slug, turn.given - len(rows), unused=not rows)
    if not rows:
        return None
    outcomes.update(settle(carry(rows, slug, turn)).values())
    return 0


def look_up(rows: DeliveryQuerySet) -> Counter[str]:
    """Ask each company for our own numbers before anything that it may have is sent a second time."""
    outcomes = Counter[str]()
    for slug in carriers(Channel.SMS):
        carrier = sms_carrier(slug)
        if carrier is None or not carrier.remembers_local_ids:
            continue
        mine = Q(carrier=slug) | Q(carrier="") if slug == carriers(Channel.SMS)[0] else Q(carrier=slug)
        while asked := rows.in_doubt().filter(mine).claim_to_ask(ROWS_AT_ONCE, Delivery.LEASE[Channel.SMS]):
            outcomes.update(settle(_looked_up(asked, carrier)).values())
    return outcomes


def _looked_up(rows: list[Delivery], carrier: SmsCarrier) -> list[Outcome]:
    try:
        known = carrier.find([row.local_ref for row in rows])
    except TransportError:
        return [Outcome(row, S.UNKNOWN, None, 3 * LOOK_UP_AFTER) for row in rows]
    tried = Attempt.objects.filter(delivery__in=rows, outcome=S.UNKNOWN).values("delivery").order_by()
    forgotten = set(
        tried.annotate(last=Max("finished_at")).filter(last__lt=Now() - REMEMBERED).values_list("delivery", flat=True)
    )
    return [
        Outcome(row, S.ACCEPTED, "ok", 0, known[row.local_ref].ref)
        if row.local_ref in known
        else Outcome(row, S.PARKED, "forgotten")
        if row.pk in forgotten
        else again(row, "not-found")
        for row in rows
    ]


# --- catching up ------------------------------------------------------------------------------------------------------


def tidy() -> Counter[str]:
    """Let go of what a dead worker held and of what came out of date; write the digests whose hour has come."""
    found = Counter[str]()
    while rows := list(Delivery.objects.let_go()[:ROWS_AT_ONCE]):
        doubts = [doubted(row, "lease") for row in rows]  # the lease was time enough for the operator's books
        found["let go"] += len(settle([d if d.wait is None else d._replace(wait=0) for d in doubts]))
    found["expired"] += _expire(Delivery.objects.all())
    found["digests"] += send_digests()
    return +found


def deliver_due(
    lane: str | None = None, *, waited: dt.timedelta = dt.timedelta(0), within: float | None = None
) -> Counter[str]:
    """One pass over what is due, codes first; lanes whose rows are all due for less than `waited` are left to others.
    `within` is in seconds.
    """
    outcomes, ends = Counter[str](), time.monotonic() + within if within else None
    for queue in [lane] if lane else Lane.values:
        if ends and time.monotonic() > ends:
            break
        due = Delivery.objects.free().filter(lane=queue, not_before__lte=Now() - waited)
        if queue == Lane.CODES:
            for pk in list(due.order_by("not_before").values_list("pk", flat=True)):
                outcomes.update(filter(None, [deliver(pk)]))
        elif due.exists():
            outcomes += drain(queue, within=ends and max(0.1, ends - time.monotonic()))
    return outcomes


def sweep() -> Counter[str]:
    """Catch up on whatever a lost hint, a dead worker or a stopped relay left behind."""
    return tidy() + deliver_due(waited=dt.timedelta(seconds=30), within=8)


def hold_before(moment: dt.datetime) -> int:
    """After a backup was restored: what was told before `moment` may have gone out since, so a person decides."""
    unsent = Delivery.objects.filter(status__in=Delivery.UNSENT, event__at__lt=moment)
    return unsent.update(status=S.PARKED, last_code="restored", not_before=None, **Delivery.FREE)
