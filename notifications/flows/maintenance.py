"""A maintenance from the plan until it is done: announced, reminded of, begun, finished, moved or called off."""

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db import transaction

from notifications.models import Broadcast, Component, Maintenance

from .affected import UNAPPROVED, UNFINISHED, notify
from .broadcasts import approve_broadcast

DAY = dt.timedelta(hours=24)
# The words that a second person approved; what follows from them goes out without being approved anew.
PLANS = ("maintenance_planned", "maintenance_changed")


def plan_maintenance(
    *,
    components: Collection[Component],
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    about_fa: str,
    about_en: str,
    by: Any,
    remind_before: dt.timedelta = DAY,
) -> Maintenance:
    """Nobody is told yet."""
    with transaction.atomic():
        maintenance = Maintenance.objects.create(
            starts_at=starts_at,
            ends_at=ends_at,
            about_fa=about_fa,
            about_en=about_en,
            planned_by=by,
            remind_before=remind_before,
        )
        maintenance.components.set(components)
        maintenance.add_update(by, is_public=False)
    return maintenance


def announce_maintenance(*, maintenance: Maintenance, by: Any) -> bool:
    """Public from now on; those affected hear of it as soon as a second person approves."""
    with transaction.atomic():
        if not maintenance.announce(by):
            return False
        _tell(maintenance, "maintenance_planned", by)
    return True


def reschedule_maintenance(
    *,
    maintenance: Maintenance,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    by: Any,
    text_fa: str = "",
    text_en: str = "",
) -> bool:
    """Another window, told again; what was still on its way with the old one is stopped."""
    with transaction.atomic():
        if not maintenance.move_window(starts_at, ends_at, by, text_fa, text_en):
            return False
        if maintenance.status == Maintenance.Status.ANNOUNCED:
            _tell(maintenance, "maintenance_changed", by, replaces=UNFINISHED)
    return True


def start_maintenance(*, maintenance: Maintenance, by: Any) -> bool:
    with transaction.atomic():
        if not maintenance.start(by):
            return False
        _tell_as_approved(maintenance, "maintenance_started", by)
    return True


def finish_maintenance(*, maintenance: Maintenance, by: Any, text_fa: str = "", text_en: str = "") -> bool:
    with transaction.atomic():
        if not maintenance.finish(by, text_fa, text_en):
            return False
        _tell_as_approved(maintenance, "maintenance_done", by)
    return True


def cancel_maintenance(*, maintenance: Maintenance, by: Any, text_fa: str = "", text_en: str = "") -> bool:
    """It will not be; whoever never heard of it is not told either."""
    with transaction.atomic():
        if not maintenance.cancel(by, text_fa, text_en):
            return False
        _tell(maintenance, "maintenance_cancelled", by, only="heard", replaces=UNFINISHED)
    return True


def remind_of_maintenance() -> int:
    """Once for each window, in time before it begins; how many were reminded of now."""
    reminded = 0
    for maintenance in Maintenance.objects.to_remind_of():
        with transaction.atomic():
            if maintenance.remind():
                _tell_as_approved(maintenance, "maintenance_reminder", maintenance.planned_by)
                reminded += 1
    return reminded


def _tell_as_approved(maintenance: Maintenance, message: str, by: Any) -> None:
    """Who prepared and who approved the plan stand for its steps too; an unapproved plan's steps wait like it."""
    plans = Broadcast.objects.filter(source=maintenance.source, message__in=PLANS, approved_by__isnull=False)
    plan = plans.exclude(status=Broadcast.Status.KILLED).order_by("pk").last()
    told = _tell(maintenance, message, plan.prepared_by if plan else by)
    if told and plan:
        approve_broadcast(broadcast=told, by=plan.approved_by)


def _tell(
    maintenance: Maintenance, message: str, by: Any, *, only: str = "all", replaces: tuple[str, ...] = UNAPPROVED
) -> Broadcast | None:
    context = {"at": maintenance.starts_at.isoformat(), "until": maintenance.ends_at.isoformat()}
    return notify(maintenance, message, by=by, context=context, only=only, replaces=replaces)
