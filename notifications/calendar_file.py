"""Maintenance as a calendar file (RFC 5545), which calendars fetch again and again by its address."""

import datetime as dt
from collections.abc import Iterable, Iterator

from django.conf import settings

from notifications.models import Maintenance

OCTETS = 75  # of a line without its end (§3.1)


def calendar(name: str, rows: Iterable[Maintenance], language: str) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Yaghout Software Group//Customer portal//EN"]
    lines += ["CALSCALE:GREGORIAN", "METHOD:PUBLISH", f"X-WR-CALNAME:{text(name)}"]
    lines += [line for row in rows for line in _event(row, language)]
    return b"".join(fold(line) for line in [*lines, "END:VCALENDAR"])


def _event(row: Maintenance, language: str) -> Iterator[str]:
    """A moved window keeps its UID and raises SEQUENCE; one called off stays, with its STATUS, so that it is struck."""
    yield "BEGIN:VEVENT"
    yield f"UID:{row.ref}@{settings.SITE_HOST}"
    yield f"DTSTAMP:{moment(row.changed_at)}"
    yield f"LAST-MODIFIED:{moment(row.changed_at)}"
    yield f"DTSTART:{moment(row.starts_at)}"
    yield f"DTEND:{moment(row.ends_at)}"
    yield f"SEQUENCE:{row.sequence}"
    yield f"STATUS:{'CANCELLED' if row.status == Maintenance.Status.CANCELLED else 'CONFIRMED'}"
    yield "TRANSP:TRANSPARENT"
    yield f"SUMMARY;LANGUAGE={language}:{text(row.title)}"
    yield f"DESCRIPTION;LANGUAGE={language}:{text(row.about)}"
    yield f"URL:{row.url}"
    yield "END:VEVENT"


def moment(at: dt.datetime) -> str:
    """Form 2 of §3.3.5: in UTC, without fractions."""
    return f"{at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


def text(words: str) -> str:
    """§3.3.11."""
    for mark, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\r", "\\n"), ("\n", "\\n")):
        words = words.replace(mark, escaped)
    return words


def fold(line: str) -> bytes:
    """Lines of at most 75 octets, never cut within a letter; each further one begins with a space (§3.1)."""
    parts = [b""]
    for letter in line:
        octets = letter.encode()
        if len(parts[-1]) + len(octets) > OCTETS:
            parts.append(b" ")
        parts[-1] += octets
    return b"\r\n".join(parts) + b"\r\n"
