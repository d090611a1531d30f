"""The operators' figures of the outbox, lane by lane: what waits, what hangs, how much leaves and how fast."""

from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models import Aggregate, Count, F, FloatField, IntegerField, Min, Q
from django.db.models.expressions import Func
from django.db.models.functions import Now

from notifications.models import Attempt, Delivery, Lane

WINDOW, STEP = timedelta(hours=1), timedelta(minutes=5)
STEPS = WINDOW // STEP


class Figures(NamedTuple):
    """One lane. Times are seconds; `sent` is what providers took in each step of the window, the last step last."""

    waiting: int = 0  # its turn has come
    later: int = 0  # its turn comes: quiet hours, or another try
    oldest: float = 0.0
    unknown: int = 0
    parked: int = 0
    sent: tuple[int, ...] = (0,) * STEPS
    half: float | None = None  # from told to taken by the provider: the median of the window
    slowest: float | None = None  # the same for all but one of twenty


class _Seconds(Func):
    template, arity, output_field = "extract(epoch FROM %(expressions)s)", 1, FloatField()


class _Step(Func):
    template = f"floor(extract(epoch FROM %(expressions)s) / {STEP.seconds})::int"
    arity, output_field = 1, IntegerField()


class _Percentile(Aggregate):
    template = "percentile_cont(%(at)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


def lanes() -> dict[str, Figures]:
    """Each lane, the most urgent first."""
    found = {lane: Figures() for lane in Lane.values}
    for row in _waiting():
        lane = row.pop("lane")
        counts: dict[str, Any] = {name: value or 0 for name, value in row.items()}
        found[lane] = Figures(**counts)
    steps = _taken().values(lane=F("delivery__lane"), step=_Step(Now() - F("finished_at")))
    for row in steps.annotate(count=Count("pk")):
        sent = list(found[row["lane"]].sent)
        sent[STEPS - 1 - min(row["step"], STEPS - 1)] += row["count"]
        found[row["lane"]] = found[row["lane"]]._replace(sent=tuple(sent))
    took = _Seconds(F("finished_at") - F("delivery__event__at"))
    speeds = _taken().values(lane=F("delivery__lane"))
    for row in speeds.annotate(half=_Percentile(took, at=0.5), slowest=_Percentile(took, at=0.95)):
        found[row["lane"]] = found[row["lane"]]._replace(half=row["half"], slowest=row["slowest"])
    return found


def _waiting() -> Any:
    S = Delivery.Status
    has_come = Q(status__in=Delivery.DUE, not_before__lte=Now())
    counts = {
        "waiting": Count("pk", filter=has_come),
        "oldest": _Seconds(Now() - Min("not_before", filter=has_come)),
        "later": Count("pk", filter=Q(status=S.QUEUED, not_before__gt=Now())),
        "unknown": Count("pk", filter=Q(status=S.UNKNOWN)),
        "parked": Count("pk", filter=Q(status=S.PARKED)),
    }

    return Delivery.objects.filter(status__in=Delivery.WATCHED).order_by().values("lane").annotate(**counts)


def _taken() -> Any:
    return Attempt.objects.filter(outcome=Delivery.Status.ACCEPTED, finished_at__gt=Now() - WINDOW).order_by()
