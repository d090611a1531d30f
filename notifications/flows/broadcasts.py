"""Tell many customers at once: prepare, look at it, have a second person approve it, write it out, hold it, stop it."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Count, Exists, F, Max, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import quiet, segments
from notifications.messages import CATALOGUE, Message, render
from notifications.models import Broadcast, Channel, Delivery, Event, Purpose, crowd

from .telling import tell

CHUNK = 5_000  # recipients written out in one transaction
OWED = (Purpose.SERVICE, Purpose.LEGAL)


class NotAllowed(Exception):
    """In the reader's words: why this person cannot do this."""


# --- before anything goes out -----------------------------------------------------------------------------------------


def prepare_broadcast(
    *,
    reason: str,
    source: str,
    message: str,
    context: dict[str, Any],
    audience: Any,
    by: Any,
    urgent: bool = False,
    heeds_quiet_hours: bool = True,
) -> Broadcast:
    """Freeze who is to be told, and what it costs. A second person approves it, unless it is `urgent`.

    `source` is an opaque reference, such as "incident:12". `audience` is a query for the customers' primary keys.
    `context` holds plain values, or {"fa": …, "en": …}, and nothing about a person. `by` is None when an operator's
    command prepares it: then any one member of staff is the second person. Urgent is an incident alone: it goes out at
    once and at any hour.
    """
    kind = CATALOGUE[message]
    if kind.purpose not in OWED or kind.secrets:
        raise ValueError(f"{message} is not for many: its purpose is {kind.purpose}")
    if odd := [name for name, value in context.items() if not _is_plain(value)]:
        raise ValueError(f"{message}: {', '.join(sorted(odd))} can be said to nobody")
    with transaction.atomic():
        broadcast = Broadcast.objects.create(
            reason=reason,
            source=source,
            message=message,
            context=context,
            prepared_by=by,
            is_urgent=urgent,
            heeds_quiet_hours=heeds_quiet_hours and not urgent,
        )
        crowd.write_snapshot(broadcast, get_user_model().objects.reader_ids(audience, kind.purpose))
        broadcast.get_ready(**_counts(broadcast, kind))
        if urgent:
            broadcast.approve(None)
    return broadcast


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return set(value) == set(dict(settings.LANGUAGES)) and all(map(_is_plain, value.values()))
    return value is None or isinstance(value, str | int)


def _counts(broadcast: Broadcast, kind: Message) -> dict[str, int]:
    """As if everybody had a mobile: what is foretold is never too little."""
    found = broadcast.recipients.order_by().values("language").annotate(n=Count("*"))
    readers = {row["language"]: row["n"] for row in found}
    parts = sum(count * sms_segments(broadcast, language) for language, count in readers.items())
    return {
        "customers": broadcast.recipients.aggregate(n=Count("customer", distinct=True))["n"],
        "readers": sum(readers.values()),
        "sms_segments": parts,
        "cost": parts * settings.SMS_SEGMENT_RIAL,
    }


def sms_segments(broadcast: Broadcast, language: str) -> int:
    """How many parts one SMS of it has."""
    if Channel.SMS not in CATALOGUE[broadcast.message].channels:
        return 0
    return segments.count(render(as_event(broadcast, language), Channel.SMS).text)


def as_event(broadcast: Broadcast, language: str) -> Event:
    """What each of its readers of this language gets; not saved, to look at."""
    return Event(message=broadcast.message, about=broadcast.source, broadcast=broadcast, language=language)


def preview_broadcast(*, broadcast: Broadcast, to: Any) -> Event:
    """The real message by every channel, to the member of staff who asks. Counted nowhere; twice a minute is once."""
    key = f"preview:{broadcast.pk}:{to.pk}:{timezone.now():%Y%m%d%H%M}"
    with transaction.atomic():
        return tell(to, broadcast.message, about=broadcast.source, context=broadcast.spoken(to.language), key=key)


def approve_broadcast(*, broadcast: Broadcast, by: Any) -> bool:
    """The second of two people; from here on it goes out. False when it was approved already."""
    if broadcast.prepared_by_id == by.pk:
        raise NotAllowed(_("Who prepared a broadcast cannot approve it. Please let a colleague do so."))
    return broadcast.approve(by)


# --- while it goes out ------------------------------------------------------------------------------------------------


def pause_broadcast(*, broadcast: Broadcast, by: Any) -> bool:
    """From the commit on nothing more of it is handed out. False when it was paused already."""
    return broadcast.pause(by)


def resume_broadcast(*, broadcast: Broadcast, by: Any) -> bool:
    return broadcast.resume(by)


def kill_broadcast(*, broadcast: Broadcast, by: Any, why: str) -> bool:
    """For good: nothing more is handed out from the commit on, and what was not sent is written down as such."""
    killed = broadcast.kill(by, why)
    drop_killed()
    return killed


def drop_killed() -> int:
    """What is still to leave of stopped broadcasts, also what came back from a try that was under way.

    An SMS in doubt is left to its look-up, which sends nothing: it may have gone.
    """
    S = Delivery.Status
    killed = list(Broadcast.objects.filter(status=Broadcast.Status.KILLED).values_list("pk", flat=True))
    waiting = Delivery.objects.filter(
        Q(status=S.QUEUED) | Q(status=S.UNKNOWN, channel=Channel.EMAIL), broadcast__in=killed
    )
    dropped = 0
    while True:
        with transaction.atomic():
            # Locked first: a row that a worker took this moment is its own.
            rows = waiting.order_by().select_for_update(skip_locked=True).values_list("pk", flat=True)
            part = list(rows[:CHUNK])
            Delivery.objects.filter(pk__in=part).update(
                status=S.SUPPRESSED, last_code="killed", not_before=None, **Delivery.FREE
            )
        dropped += len(part)
        if len(part) < CHUNK:
            return dropped


def fan_out(*, broadcast: Broadcast) -> int:
    """Write the whole snapshot into the outbox, chunk by chunk; how many deliveries were added.

    A chunk and how far it brought us are one transaction: killed at any point, the next call goes on behind the last
    whole one. Called twice at once, one of the two does it.
    """
    added = 0
    while (more := _next_chunk(broadcast.pk)) is not None:
        added += more
    return added


def _next_chunk(pk: int) -> int | None:
    """None when nothing is left, or it is not the time, or somebody else is at it."""
    with transaction.atomic():
        rows = Broadcast.objects.to_fan_out().annotate(db_now=Now())
        broadcast = rows.select_for_update(skip_locked=True, no_key=True).filter(pk=pk).first()
        if broadcast is None:
            return None
        broadcast.start()
        turn = broadcast.recipients.filter(pk__gt=broadcast.fanned_to)
        part = turn.order_by("pk")[:CHUNK].aggregate(last=Max("pk"), n=Count("*"))
        if not part["n"]:
            return None
        kind, last = CATALOGUE[broadcast.message], part["last"]
        customers = turn.filter(pk__lte=last).order_by().values("customer")
        added = crowd.write_out(
            broadcast,
            last,
            get_user_model().objects.reader_ids(customers, kind.purpose),
            event={
                "message": kind.name,
                "purpose": kind.purpose,
                "about": broadcast.source,
                "expires_at": broadcast.db_now + kind.expires_in if kind.expires_in else None,
            },
            delivery={"lane": kind.lane},
            channels=kind.channels,
            not_before=not_before(broadcast, broadcast.db_now),
        )
        Broadcast.objects.filter(pk=pk).update(fanned_to=last, fanned=F("fanned") + part["n"])
    return added


def not_before(broadcast: Broadcast, at: dt.datetime) -> dt.datetime:
    """`at`, or the end of the usual quiet hours in which it falls."""
    return quiet.after_quiet(None, at) if broadcast.heeds_quiet_hours else at


# --- now and again ----------------------------------------------------------------------------------------------------


def fan_out_due() -> int:
    """Go on with whatever is approved, and say of what has left that it is done. How many deliveries were added."""
    running = list(Broadcast.objects.to_fan_out().annotate(db_now=Now()).order_by("-is_urgent", "pk"))
    added = sum(fan_out(broadcast=broadcast) for broadcast in running)
    for broadcast in running:
        _wait_for_morning(broadcast)
    _finish()
    drop_killed()
    return added


def _wait_for_morning(broadcast: Any) -> None:
    """What a long evening has not sent must not go out at night."""
    morning = not_before(broadcast, broadcast.db_now)
    if morning > broadcast.db_now:
        fresh = broadcast.deliveries.filter(status=Delivery.Status.QUEUED, lane=CATALOGUE[broadcast.message].lane)
        fresh.filter(not_before__lte=broadcast.db_now).update(not_before=morning, handed_until=None)


def _finish() -> None:
    unsent = Delivery.objects.filter(broadcast=OuterRef("pk"), status__in=Delivery.UNSENT)
    left = Broadcast.objects.filter(~Exists(unsent), status=Broadcast.Status.SENDING, fanned=F("readers"))
    for pk in left.values_list("pk", flat=True):
        with transaction.atomic():
            for broadcast in left.select_for_update(skip_locked=True, no_key=True).filter(pk=pk):
                broadcast.finish()
