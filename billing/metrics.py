"""Payments for Prometheus."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily

from billing.admin import figures


def collect() -> Iterator[GaugeMetricFamily]:
    owed = GaugeMetricFamily(
        "portal_payments_unanswered", "Payments to which the bank owes an answer", labels=["gateway", "age"]
    )
    for gateway, ages in figures.unanswered().items():
        for age, count in ages.items():
            owed.add_metric([gateway, age], count)
    yield owed
    inbox = GaugeMetricFamily("portal_payments_inbox", "Payments that wait for a person's decision", labels=["status"])
    for status, sums in zip(("unapplied", "suspect"), figures.inbox(), strict=True):
        inbox.add_metric([status], sums.payments)
    yield inbox
