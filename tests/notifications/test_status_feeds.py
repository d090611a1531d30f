"""Feed readers and calendars: by the letter of RFC 4287 and RFC 5545."""

import datetime as dt
from xml.etree import ElementTree

import pytest
from django.utils import timezone

from notifications import flows
from notifications.calendar_file import fold, moment, text
from tests.notifications.troubles import WORDS, component, opened, planned

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def web(db):
    return component()


def feed(client, **query):
    response = client.get("/status/feed.atom", query)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    return ElementTree.fromstring(response.content)  # noqa: S314 - our own


def lines(client, **query) -> list[str]:
    """The file's lines, unfolded as §3.1 says."""
    response = client.get("/status/calendar.ics", query)
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    whole = response.content
    assert whole.endswith(b"\r\n") and b"\n" not in whole.replace(b"\r\n", b"")
    assert all(len(line) <= 75 for line in whole.split(b"\r\n"))
    return whole.replace(b"\r\n ", b"").decode().split("\r\n")


# --- Atom -------------------------------------------------------------------------------------------------------------


def test_the_feed_has_what_rfc_4287_demands(anyone, carol, web):
    incident = opened(web, by=carol)
    root = feed(anyone)
    assert root.tag == f"{ATOM}feed"
    for where in (root, root.find(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(where.findall(f"{ATOM}{name}")) == 1 and where.findtext(f"{ATOM}{name}")
        assert dt.datetime.fromisoformat(where.findtext(f"{ATOM}updated")).tzinfo
    own = next(link.get("href") for link in root.findall(f"{ATOM}link") if link.get("rel") == "self")
    assert own.endswith("/status/feed.atom?lang=en")
    entry = root.find(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}id") == entry.find(f"{ATOM}link").get("href") == incident.url
    assert "We are looking into it." in entry.findtext(f"{ATOM}summary")


def test_every_entry_and_the_feed_have_an_author(anyone, carol, web):
    """§4.1.1: a feed has an author, or each of its entries has."""
    opened(web, by=carol)
    assert feed(anyone).findtext(f"{ATOM}author/{ATOM}name")


def test_the_last_changed_comes_first_and_keeps_its_id(anyone, carol, web):
    first, second = opened(web, by=carol), planned(web, by=carol)
    assert ids(feed(anyone)) == [second.url, first.url]
    flows.resolve_incident(incident=first, by=carol, **WORDS)
    assert ids(feed(anyone)) == [first.url, second.url]


def ids(root) -> list[str]:
    return [entry.findtext(f"{ATOM}id") for entry in root.findall(f"{ATOM}entry")]


def test_it_speaks_as_it_is_asked(client, anyone, carol, web):
    opened(web, by=carol)
    assert feed(client).get("{http://www.w3.org/XML/1998/namespace}lang") == "fa"
    assert "میزبانی وب" in feed(client).findtext(f"{ATOM}entry/{ATOM}title")
    assert "Web hosting" in feed(client, lang="en").findtext(f"{ATOM}entry/{ATOM}title")
    assert "میزبانی وب" in feed(anyone, lang="fa").findtext(f"{ATOM}entry/{ATOM}title")


@pytest.mark.parametrize("path", ["/status/feed.atom", "/status/calendar.ics"])
def test_what_has_not_changed_is_not_sent_again(anyone, carol, web, path):
    planned(web, by=carol)
    first = anyone.get(path)
    assert first.headers["Cache-Control"] == "public, max-age=30"
    assert anyone.get(path, headers={"if-none-match": first.headers["ETag"]}).status_code == 304
    opened(web, by=carol)
    planned(web, by=carol)
    assert anyone.get(path, headers={"if-none-match": first.headers["ETag"]}).status_code == 200


def test_neither_shows_what_is_ours_alone(anyone, carol):
    vault = component("vault", "The vault", is_public=False)
    opened(vault, by=carol), planned(vault, by=carol)
    start = timezone.now() + dt.timedelta(days=2)
    window = {"starts_at": start, "ends_at": start + dt.timedelta(hours=1)}
    words = {"about_fa": "طرح", "about_en": "A plan of ours"}
    flows.plan_maintenance(components=[component()], by=carol, **window, **words)
    assert feed(anyone).find(f"{ATOM}entry") is None and "BEGIN:VEVENT" not in lines(anyone)


# --- the calendar -----------------------------------------------------------------------------------------------------


def test_an_event_has_what_rfc_5545_demands(anyone, carol, web):
    start = dt.datetime(2099, 3, 1, 22, 30, tzinfo=dt.UTC)
    maintenance = planned(web, by=carol, starts_at=start, ends_at=start + dt.timedelta(hours=3))
    found = lines(anyone)
    assert found[0] == "BEGIN:VCALENDAR" and found[-2:] == ["END:VCALENDAR", ""]
    assert {"VERSION:2.0", "METHOD:PUBLISH"} <= set(found) and sum(line.startswith("PRODID:") for line in found) == 1
    assert {"DTSTART:20990301T223000Z", "DTEND:20990302T013000Z", "SEQUENCE:0", "STATUS:CONFIRMED"} <= set(found)
    assert f"DTSTAMP:{moment(maintenance.changed_at)}" in found and f"URL:{maintenance.url}" in found
    assert "SUMMARY;LANGUAGE=en:Maintenance: Web hosting" in found


def test_moved_it_is_the_same_event_in_a_newer_version(anyone, carol, web):
    maintenance = planned(web, by=carol)
    uid = [line for line in lines(anyone) if line.startswith("UID:")]
    later = {"starts_at": timezone.now() + dt.timedelta(days=5), "ends_at": timezone.now() + dt.timedelta(days=6)}
    flows.reschedule_maintenance(maintenance=maintenance, by=carol, **later)
    assert [line for line in lines(anyone) if line.startswith("UID:")] == uid
    assert {"SEQUENCE:1", f"DTSTART:{moment(later['starts_at'])}"} <= set(lines(anyone))


def test_called_off_it_stays_and_says_so(anyone, carol, web):
    maintenance = planned(web, by=carol)
    flows.cancel_maintenance(maintenance=maintenance, by=carol)
    assert {"STATUS:CANCELLED", "SEQUENCE:1"} <= set(lines(anyone))


def test_a_long_persian_line_is_folded_between_letters(anyone, client, carol, web):
    words = "شبکه‌ی مرکز داده؛ " * 40 + "پایان"
    planned(web, by=carol, about_fa=words, about_en="x" * 200)
    assert f"DESCRIPTION;LANGUAGE=fa:{words}" in lines(client)
    assert f"DESCRIPTION;LANGUAGE=en:{'x' * 200}" in lines(anyone)


@pytest.mark.parametrize("length", [1, 74, 75, 76, 149, 150, 151])
def test_folding_at_its_edges(length):
    for letter in ("x", "ش", "✓", "🙂"):
        folded = fold(letter * length)
        assert folded.replace(b"\r\n ", b"") == (letter * length).encode() + b"\r\n"
        assert all(len(line) <= 75 for line in folded.split(b"\r\n"))
    assert fold("x" * 75) == b"x" * 75 + b"\r\n", "75 is allowed"


def test_marks_are_escaped():
    """§3.3.11, the RFC's own example among them."""
    assert text("Project XYZ Final Review\nConference Room - 3B\nCome Prepared.") == (
        "Project XYZ Final Review\\nConference Room - 3B\\nCome Prepared."
    )
    assert text("a\\b;c,d\r\ne") == "a\\\\b\\;c\\,d\\ne"


def test_a_word_cannot_become_a_line_of_its_own(anyone, carol, web):
    planned(web, by=carol, about_fa="x", about_en="x\r\nATTENDEE:mailto:eve@example.com\rURL:http://evil.example/")
    assert not [line for line in lines(anyone) if line.startswith(("ATTENDEE", "URL:http://evil"))]
