"""The operators' figures: what banks owe an answer to, what waits for a decision, what arrived. One query each."""

from collections import defaultdict
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.db.models import Case, CharField, Count, Sum, Value, When
from django.db.models.functions import Now, TruncDate
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.models import Payment

DAYS = 7
# Oldest last, by when the customer set out to pay; the last has no end.
AGES: dict[str, tuple[Any, timedelta | None]] = {
    "minutes": (_("under 5 minutes"), timedelta(minutes=5)),
    "hour": (_("under an hour"), timedelta(hours=1)),
    "day": (_("under a day"), timedelta(days=1)),
    "older": (_("older"), None),
}


class Sums(NamedTuple):
    """How many payments, and how many Rials."""

    payments: int = 0
    rials: int = 0


def unanswered() -> dict[str, dict[str, int]]:
    """Gateway → age → how many payments its bank owes an answer to."""
    ages = [When(created_at__gt=Now() - limit, then=Value(age)) for age, (_words, limit) in AGES.items() if limit]
    age = Case(*ages, default=Value("older"), output_field=CharField())
    rows = Payment.objects.filter(status__in=Payment.WAITING).order_by().values("gateway", age=age)
    found: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(AGES, 0))
    for row in rows.annotate(count=Count("pk")):
        found[row["gateway"]][row["age"]] = row["count"]
    return dict(found)


def inbox() -> tuple[Sums, Sums]:
    """Money that was taken and lies nowhere; and what we asked for where it is not known whether it was taken."""
    rows = Payment.objects.inbox().order_by().values("status")
    by_status = {
        row["status"]: row for row in rows.annotate(count=Count("pk"), taken=Sum("taken"), asked=Sum("amount"))
    }
    unapplied = by_status.get(Payment.Status.UNAPPLIED, {"count": 0, "taken": 0})
    suspect = by_status.get(Payment.Status.SUSPECT, {"count": 0, "asked": 0})
    return Sums(unapplied["count"], unapplied["taken"]), Sums(suspect["count"], suspect["asked"])


def last_days() -> list[date]:
    """Today and the days before it, here and not in UTC; today last."""
    today = timezone.localdate()
    return [today - timedelta(days=back) for back in reversed(range(DAYS))]


def received(days: list[date]) -> dict[str, dict[date, Sums]]:
    """Gateway → day of the bank's time → what arrived and was not given back."""
    start = timezone.make_aware(datetime.combine(days[0], time.min))
    end = timezone.make_aware(datetime.combine(days[-1] + timedelta(days=1), time.min))
    rows = Payment.objects.filter(status__in=Payment.RECEIVED, bank_time__gte=start, bank_time__lt=end)
    by_day = rows.order_by().values("gateway", day=TruncDate("bank_time"))
    found: dict[str, dict[date, Sums]] = defaultdict(lambda: dict.fromkeys(days, Sums()))
    for row in by_day.annotate(count=Count("pk"), rials=Sum("taken")):
        found[row["gateway"]][row["day"]] = Sums(row["count"], row["rials"])
    return dict(found)
