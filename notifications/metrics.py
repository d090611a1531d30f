"""The outbox for Prometheus. Alert on `portal_outbox_oldest_seconds` of a lane: it is what customers feel."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily

from notifications import figures

GAUGES = {
    "waiting": "Messages whose turn has come",
    "later": "Messages whose turn comes later: quiet hours, or another try",
    "oldest": "Seconds that the oldest of them waits",
    "unknown": "Messages of which nobody knows whether the provider took them",
    "parked": "Messages held for a person",
    "half": "Seconds from told to taken by the provider, median of the last hour",
    "slowest": "The same, 95th percentile",
}
NAMES = {"oldest": "oldest_seconds", "half": "accepted_seconds_p50", "slowest": "accepted_seconds_p95"}


def collect() -> Iterator[GaugeMetricFamily]:
    lanes = figures.lanes()
    for field, words in GAUGES.items():
        gauge = GaugeMetricFamily(f"portal_outbox_{NAMES.get(field, field)}", words, labels=["lane"])
        for lane, found in lanes.items():
            value = getattr(found, field)
            if value is not None:
                gauge.add_metric([lane], value)
        yield gauge
    sent = GaugeMetricFamily("portal_outbox_accepted_last_hour", "Messages that providers took", labels=["lane"])
    for lane, found in lanes.items():
        sent.add_metric([lane], sum(found.sent))
    yield sent
