"""Deliver what was told: one try at a time, and a pass over whatever is due."""

import datetime as dt
import logging
import random
import time
import uuid
from collections import Counter

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from notifications.channels import TransportError, smtp
from notifications.channels.kavenegar import SmsOperator
from notifications.messages import CATALOGUE, render
from notifications.models import Channel, Delivery, Event, Lane

from .preferences import send_digests

log = logging.getLogger(__name__)

# With waits up to half an hour this is about two days; then somebody of us must look.
TRIES_AT_MOST = 120
LOOK_UP_AFTER = dt.timedelta(seconds=10)  # the operator's own books lag behind its answers
REMEMBERED = dt.timedelta(hours=12)  # how long the operator knows our numbers
HINT_LASTS = dt.timedelta(seconds=20)  # a hint that led to nothing within this is taken for lost
# How old an accepted SMS is when its fate is asked for first.
ASK_FIRST = dt.timedelta(seconds=15)


def sms_operator() -> SmsOperator:
    company = settings.KAVENEGAR
    return SmsOperator(company["api_key"], f"{company['api_url']}/v1", company["sender"])


def deliver(delivery_id: uuid.UUID | str) -> str | None:
    """One try. The row is claimed and committed first, the provider is called outside any transaction, and the answer
    counts only while the claim is still ours. Returns the new status; None when it was not this row's turn.
    """
    delivery = Delivery.claim(delivery_id)
    if delivery is None:
        return None
    if delivery.status == Delivery.Status.UNKNOWN:
        _look_up(delivery)
    else:
        _send(delivery)
    return str(delivery.status)


def _send(delivery: Delivery) -> None:
    ask_at = timezone.now() + ASK_FIRST if delivery.channel == Channel.SMS else None
    try:
        ref = _by_sms(delivery) if delivery.channel == Channel.SMS else _by_email(delivery)
    except TransportError as error:
        _record(delivery, error)
    except Exception as error:
        # Words that cannot be written wait for a mended release. The text of the error may hold them, so it stays out.
        log.error("delivery %s cannot be written: %s", delivery.pk, type(error).__name__)
        _try_again(delivery, "render")
    else:
        with transaction.atomic():
            if delivery.accept(ref, ask_at=ask_at):
                _forget(delivery.event)


def _by_sms(delivery: Delivery) -> str:
    event, to = delivery.event, str(delivery.recipient)
    template = CATALOGUE[event.message].sms_template
    if template:
        return sms_operator().send_code(to, f"{template}-{event.language}", event.context["code"]).ref
    return sms_operator().send_text(to, render(event, Channel.SMS).text, delivery.local_ref).ref


def _by_email(delivery: Delivery) -> str:
    event, us = delivery.event, settings.SITE_HOST or "localhost"
    words, message_id = render(event, Channel.EMAIL), f"<{delivery.pk}@{us}>"
    letter = smtp.compose(
        sender=settings.EMAIL_FROM,
        to=str(delivery.recipient),
        subject=words.subject,
        text=words.text,
        html=words.html,
        message_id=message_id,
        at=event.at,
        language=event.language,
    )
    smtp.send(letter, server=settings.SMTP, us=us)
    return message_id


def _record(delivery: Delivery, error: TransportError) -> None:
    if error.ours:
        log.error("delivery %s: the %s provider refuses us (%s)", delivery.pk, delivery.channel, error.code)
    if error.maybe_sent:
        # A code has no number of ours at the operator: it is never sent twice, and people can ask for another one.
        is_code = delivery.channel == Channel.SMS and CATALOGUE[delivery.event.message].sms_template
        delivery.doubt(None if is_code else timezone.now() + LOOK_UP_AFTER, error.code)
    elif error.permanent:
        with transaction.atomic():
            if delivery.park(error.code) if error.ours else delivery.refuse(error.code):
                _forget(delivery.event)
    else:
        _try_again(delivery, error.code)


def _try_again(delivery: Delivery, code: str) -> None:
    if delivery.tries >= TRIES_AT_MOST:
        delivery.park(code)
        return
    first, longest = (2, 60) if delivery.lane == Lane.CODES else (10, 1800)
    seconds = min(longest, first * 2 ** min(delivery.tries - 1, 10))
    delivery.try_again(timezone.now() + dt.timedelta(seconds=seconds * random.uniform(0.5, 1)), code)  # noqa: S311


def _look_up(delivery: Delivery) -> None:
    """Ask the operator for our own number before anything is sent a second time."""
    try:
        standing = sms_operator().find(delivery.local_ref)
    except TransportError:
        delivery.still_doubt(timezone.now() + 3 * LOOK_UP_AFTER)
        return
    doubted = delivery.attempts.latest("finished_at").finished_at
    if standing:
        delivery.accept(standing.ref, ask_at=timezone.now())
    elif timezone.now() - doubted > REMEMBERED:
        delivery.park("forgotten")
    else:
        _try_again(delivery, "not-found")


def _forget(event: Event) -> None:
    event.forget(CATALOGUE[event.message].secrets)


# --- sweep ------------------------------------------------------------------------------------------------------------


def tidy() -> Counter[str]:
    """Let go of what a dead worker held and of what came out of date; write the digests whose hour has come."""
    found: Counter[str] = Counter()
    for delivery in Delivery.objects.let_go().select_related("event"):
        is_code = delivery.channel == Channel.SMS and CATALOGUE[delivery.event.message].sms_template
        found["let go"] += delivery.doubt(None if is_code else timezone.now(), "lease")
    for delivery in Delivery.objects.out_of_date().select_related("event"):
        with transaction.atomic():
            if delivery.expire():
                _forget(delivery.event)
                found["expired"] += 1
    if digests := send_digests():
        found["digests"] = digests
    return found


def deliver_due(
    lane: str | None = None, *, waited: dt.timedelta = dt.timedelta(0), within: float | None = None
) -> Counter[str]:
    """One pass over what is due, codes first, without what is due for less than `waited`; `within` is in seconds."""
    outcomes: Counter[str] = Counter()
    ends = time.monotonic() + within if within else None
    for queue in [lane] if lane else Lane.values:
        due = Delivery.objects.unclaimed().filter(lane=queue, not_before__lte=timezone.now() - waited)
        for pk in list(due.order_by("not_before").values_list("pk", flat=True)):
            if ends and time.monotonic() > ends:
                return outcomes
            if outcome := deliver(pk):
                outcomes[outcome] += 1
    return outcomes


def sweep() -> Counter[str]:
    """Catch up on whatever a lost hint, a dead worker or a stopped relay left behind."""
    return tidy() + deliver_due(waited=dt.timedelta(seconds=30), within=60)
