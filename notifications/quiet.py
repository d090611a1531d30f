"""When a message should come that can wait: not in its reader's quiet hours, and in a digest at fixed hours."""

import datetime as dt
from zoneinfo import ZoneInfo

from notifications.catalogue import Message
from notifications.models import Preference
from notifications.models.preferences import QUIET

TEHRAN = ZoneInfo("Asia/Tehran")
DIGESTS_AT = (dt.time(9), dt.time(17))


def not_before(preference: Preference | None, kind: Message, at: dt.datetime) -> dt.datetime:
    """`at` itself; for a kind that can wait the end of the quiet hours in which it falls. None: the usual hours."""
    return after_quiet(preference, at) if kind.can_wait else at


def after_quiet(preference: Preference | None, at: dt.datetime) -> dt.datetime:
    """The first minute of the hours belongs to them, the last does not."""
    starts, ends = (preference.quiet_from, preference.quiet_until) if preference else QUIET
    here = at.astimezone(TEHRAN)
    day, now = here.date(), here.time()
    if starts <= ends:
        is_quiet = starts <= now < ends
    else:  # over midnight
        is_quiet = now >= starts or now < ends
        if now >= starts:
            day += dt.timedelta(days=1)
    return dt.datetime.combine(day, ends, TEHRAN) if is_quiet else at


def next_digest(preference: Preference | None, at: dt.datetime) -> dt.datetime:
    """The first of the fixed hours after `at`; in quiet hours, their end."""
    today = at.astimezone(TEHRAN).date()
    days = (today, today + dt.timedelta(days=1))
    hours = (dt.datetime.combine(day, hour, TEHRAN) for day in days for hour in DIGESTS_AT)
    return after_quiet(preference, next(hour for hour in hours if hour > at))
