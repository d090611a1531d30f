"""How a component fared in the last ninety days: for each day the worst that was, and how much of the time was well."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django.utils import timezone

from notifications.models import Severity

DAYS = 90
TONES = {Severity.LOW: "wait", Severity.MEDIUM: "wait", Severity.HIGH: "bad"}
RANK = {"ok": 0, "wait": 1, "bad": 2}


class Span(NamedTuple):
    """A time in which it did not work as it should; `end` is None while it lasts."""

    severity: str
    start: dt.datetime
    end: dt.datetime | None


@dataclass(frozen=True)
class Day:
    on: dt.date
    tone: str
    minutes: int  # of this day with a disruption
    x: int  # where its bar stands in the picture


@dataclass(frozen=True)
class Picture:
    days: list[Day]
    share: str  # percent of the time without a disruption, rounded down: one minute is never 100

    @property
    def troubled(self) -> list[Day]:
        return [day for day in self.days if day.tone != "ok"]


def first_moment(now: dt.datetime) -> dt.datetime:
    """When the oldest of the days began, by the portal's time zone."""
    return _midnight(timezone.localdate(now) - dt.timedelta(days=DAYS - 1))


def picture(spans: Iterable[Span], now: dt.datetime) -> Picture:
    spans = [span._replace(end=min(span.end or now, now)) for span in spans if span.start < now]
    first, days, lost = timezone.localdate(first_moment(now)), [], dt.timedelta()
    for n in range(DAYS):
        on = first + dt.timedelta(days=n)
        start, end = _midnight(on), min(_midnight(on + dt.timedelta(days=1)), now)
        touching = [span for span in spans if span.start < end and (span.end or now) > start]
        without = _length(touching, start, end)
        lost += without
        tone = max((TONES[Severity(span.severity)] for span in touching), key=RANK.__getitem__, default="ok")
        days.append(Day(on, tone, -(-without // dt.timedelta(minutes=1)), 5 * n))
    hundredths = int(10_000 * (1 - lost / (now - first_moment(now))))
    return Picture(days, f"{hundredths // 100}.{hundredths % 100:02d}".removesuffix(".00"))


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def _length(spans: list[Span], start: dt.datetime, end: dt.datetime) -> dt.timedelta:
    """The time that they cover between the two moments, where they overlap counted once."""
    total, covered = dt.timedelta(), start
    for span in sorted(spans, key=lambda span: span.start):
        begins, ends = max(span.start, covered), min(span.end or end, end)
        if ends > begins:
            total, covered = total + (ends - begins), ends
    return total
