"""What works and what does not, for everybody to read; for a customer also whether it touches her."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.flows import register_company
from notifications import flows
from notifications.models import Incident
from notifications.uptime import DAYS, Span, first_moment, picture
from portal import jalali
from tests.accounts.test_company import DETAILS, join
from tests.notifications.troubles import WORDS, component, opened, plan_on, planned, service

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def web(db):
    return component()


def page(client: Client, path: str = "/status/", **query: str) -> str:
    return client.get(path, query).content.decode()


def test_when_nothing_is_wrong_it_says_so(db, anyone):
    assert "Everything works." in page(anyone)
    assert "همه" not in page(anyone)


def test_a_disruption_is_there_with_what_was_said(anyone, carol, web):
    incident = opened(web, by=carol, severity="high")
    flows.update_incident(incident=incident, by=carol, status="identified", text_fa="علت", text_en="A broken disk")
    flows.update_incident(incident=incident, by=carol, is_public=False, text_fa="راز", text_en="Our secret")
    for shown in (page(anyone), page(anyone, incident.get_absolute_url())):
        assert "Web hosting: Out of order" in shown and "Cause found" in shown
        assert "We are looking into it." in shown and "A broken disk" in shown
        assert "Our secret" not in shown
    assert "There is 1 disruption now." in page(anyone) and "Everything works." not in page(anyone)


def test_no_member_of_staff_is_named(anyone, carol, web):
    assert carol.ref not in page(anyone, opened(web, by=carol).get_absolute_url())


def test_a_planned_maintenance_is_there_until_it_is_over(anyone, carol, web):
    maintenance = planned(web, by=carol)
    assert "Maintenance: Web hosting" in page(anyone) and "A new switch" in page(anyone)
    flows.start_maintenance(maintenance=maintenance, by=carol)
    assert "Under maintenance" in page(anyone)
    flows.finish_maintenance(maintenance=maintenance, by=carol, **WORDS)
    assert "A new switch" not in page(anyone)
    assert "A new switch" in page(anyone, maintenance.get_absolute_url())


def test_what_is_over_is_in_its_months_history(anyone, carol, web):
    began = timezone.now() - dt.timedelta(days=70)
    incident = opened(web, by=carol, started_at=began)
    flows.resolve_incident(incident=incident, by=carol, **WORDS)
    link = f'href="{incident.get_absolute_url()}"'
    assert link not in page(anyone) and "No disruption and no maintenance." in page(anyone)
    assert link in page(anyone, month=timezone.localdate(began).isoformat())


@pytest.mark.parametrize("month", ["0001-01-01", "9999-12-31", "2026-02-30", "x", "-1"])
def test_an_odd_month_breaks_nothing(db, anyone, month):
    assert anyone.get("/status/", {"month": month}).status_code in (200, 404)


def test_months_are_the_readers(db):
    day = dt.date(2026, 11, 23)
    assert jalali.month(day, "fa") == (dt.date(2026, 11, 22), dt.date(2026, 12, 22), "آذر ۱۴۰۵")
    assert jalali.month(day, "en") == (dt.date(2026, 11, 1), dt.date(2026, 12, 1), "November 2026")
    assert jalali.month(dt.date(2027, 3, 20), "fa")[:2] == (dt.date(2027, 2, 20), dt.date(2027, 3, 21))
    assert jalali.month(dt.date(2026, 12, 31), "en")[1] == dt.date(2027, 1, 1)


def test_a_component_that_is_ours_alone_is_listed_nowhere(anyone, carol, web):
    secret = component("vault", "The vault", is_public=False)
    incident, both = opened(secret, by=carol), opened(secret, web, by=carol)
    assert "The vault" not in page(anyone) and incident.ref not in page(anyone)
    assert "The vault" not in page(anyone, both.get_absolute_url())
    assert anyone.get(incident.get_absolute_url()).status_code == 200, "who was sent the address may read it"


def test_it_says_which_of_her_services_are_affected(alice, alice_client, bob_client, carol, web):
    on_it = service(alice, plan_on(web))
    incident = opened(web, by=carol)
    for path in ("/status/", incident.get_absolute_url()):
        assert f'href="{on_it.get_absolute_url()}"' in page(alice_client, path)
        assert "Affecting you" in page(alice_client, path)
        assert "Affecting you" not in page(bob_client, path)
    flows.resolve_incident(incident=incident, by=carol)
    assert "Affecting you" not in page(alice_client, incident.get_absolute_url())


def test_acting_for_a_company_it_is_the_companys_services(alice, alice_client, carol, web):
    atlas = register_company(person=alice, details=DETAILS)
    on_it = service(atlas.customer, plan_on(web))
    opened(web, by=carol)
    assert f'href="{on_it.get_absolute_url()}"' in page(join(atlas, "technical"))
    assert "Affecting you" not in page(alice_client), "she acts for herself"


def test_persian_comes_first_and_the_address_can_ask_for_another(carol, web):
    opened(web, by=carol)
    stranger = Client()
    assert 'lang="fa" dir="rtl"' in page(stranger) and "میزبانی وب" in page(stranger)
    english = stranger.get("/status/", {"lang": "en"})
    assert 'lang="en" dir="ltr"' in english.content.decode() and english.headers["Content-Language"] == "en"
    assert re.search(r'href="/status/\w{8}/\?lang=en"', english.content.decode()), "its links stay in that language"
    assert 'lang="en"' in page(stranger, language="en"), "what the foot's button sends"
    assert 'lang="fa"' in page(stranger, lang="xx")


def test_anybodys_copy_can_be_kept_and_shared(anyone, alice_client, carol, web):
    incident = opened(web, by=carol)
    for path in ("/status/", incident.get_absolute_url()):
        response = anyone.get(path)
        assert response.headers["Cache-Control"] == "public, max-age=30"
        assert not response.cookies and "csrfmiddlewaretoken" not in response.content.decode()
        private = alice_client.get(path)
        assert "private" in private.headers["Cache-Control"] and "no-store" in private.headers["Cache-Control"]


def test_for_strangers_it_asks_for_no_session_and_little_else(anyone, carol, web):
    for n in range(5):
        opened(web, by=carol, severity=("low", "medium", "high")[n % 3])
        planned(web, by=carol)
    with CaptureQueriesContext(connection) as asked:
        anyone.get("/status/")
    assert len(asked) <= 12
    assert not [query for query in asked.captured_queries if "session" in query["sql"]]


def test_every_page_leads_to_it(anyone, db):
    assert 'href="/status/"' in page(anyone, "/accounts/login/")


# --- the picture of ninety days ---------------------------------------------------------------------------------------


def days_ago(days: float, hours: float, severity: str = "high") -> Span:
    start = NOW - dt.timedelta(days=days)
    return Span(severity, start, start + dt.timedelta(hours=hours))


def test_without_a_disruption_it_is_all_well(db):
    shown = picture([], NOW)
    assert len(shown.days) == DAYS and shown.share == "100" and shown.troubled == []
    assert shown.days[-1].on == dt.date(2026, 11, 23)


def test_a_minute_is_not_a_hundred_percent(db):
    assert picture([days_ago(3, 1 / 60)], NOW).share == "99.99"


def test_its_worst_is_the_days_colour_and_minutes_are_counted_once(db):
    shown = picture([days_ago(2, 2, "low"), days_ago(2, 1, "high")], NOW)
    assert [(day.tone, day.minutes) for day in shown.troubled] == [("bad", 120)]


def test_over_midnight_it_belongs_to_both_days(db):
    midnight = timezone.make_aware(dt.datetime(2026, 11, 20))
    hour = dt.timedelta(hours=1)
    shown = picture([Span("medium", midnight - hour, midnight + 2 * hour)], NOW)
    assert [(day.on.day, day.tone, day.minutes) for day in shown.troubled] == [(19, "wait", 60), (20, "wait", 120)]


def test_what_lasts_is_counted_until_now_and_what_came_before_from_the_first_day(db):
    assert picture([Span("low", NOW - dt.timedelta(minutes=90), None)], NOW).troubled[0].minutes == 90
    first = first_moment(NOW)
    shown = picture([Span("low", first - dt.timedelta(days=9), first + dt.timedelta(hours=1))], NOW)
    assert [day.minutes for day in shown.troubled] == [60] and shown.days[0].tone == "wait"


def test_the_page_says_in_words_what_the_bars_show(anyone, carol, web):
    began = timezone.now() - dt.timedelta(days=3)
    incident = opened(web, by=carol, started_at=began)
    Incident.objects.filter(pk=incident.pk).update(status="resolved", resolved_at=began + dt.timedelta(minutes=30))
    shown = page(anyone)
    assert shown.count("<rect") == DAYS and "99.97%" in shown
    assert "30 minutes" in shown or shown.count("minute") >= 2  # two days when it was near midnight
