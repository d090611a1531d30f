"""The words of every message, in both languages."""

from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import Customer
from notifications.messages import CATALOGUE, render, shown, title
from notifications.models import Channel, Event
from tests.notifications.base import SAMPLES

pytestmark = pytest.mark.django_db  # the words in force stand in a table


def event(message: str, language: str, **context: object) -> Event:
    return Event(customer=Customer(), message=message, language=language, context=SAMPLES[message] | context)


@pytest.mark.parametrize("language", ["fa", "en"])
@pytest.mark.parametrize("message", CATALOGUE)
def test_every_message_has_words_for_each_of_its_channels(message, language):
    it = event(message, language)
    assert title(it) and shown(it)
    for channel in CATALOGUE[message].channels:
        words = render(it, channel)
        assert words.text.strip() and "{{" not in words.text and "None" not in words.text
        assert "T10:" not in words.text, "a moment is told as people tell it"
        if channel == Channel.EMAIL:
            assert words.subject == title(it) and "\n" not in words.subject
            assert f'lang="{language}" dir="{"rtl" if language == "fa" else "ltr"}"' in words.html
        else:
            assert len(words.text) <= 268, "four parts of a Persian SMS at most"


def test_the_catalogue_and_the_templates_are_the_same_list():
    folders = {p.name for p in (Path(settings.BASE_DIR) / "templates/messages").iterdir() if p.is_dir()}
    assert folders == set(CATALOGUE) == set(SAMPLES)


def test_money_is_in_toman_and_days_in_the_readers_calendar():
    persian, english = (render(event("invoice_issued", tongue), "sms").text for tongue in ("fa", "en"))
    assert "۱۳۲٬۰۰۰ تومان" in persian and "سه‌شنبه ۱۰ آذر ۱۴۰۵" in persian
    assert "132,000 Toman" in english and "Tuesday 1 December 2026" in english
    assert "\u200e1405-000012" in persian and "\u200e" not in english


def test_a_day_given_as_a_moment_is_the_day_here():
    assert "Thursday 24 December 2026" in render(event("policy_published", "en"), "sms").text


def test_what_a_customer_typed_is_only_text():
    words = render(event("ticket_opened", "en"), "email")
    assert words.subject == "Ticket 10001: My <b>site</b> is slow"
    assert "<b>" not in words.html and "&lt;b&gt;" in words.html
    assert "My <b>site</b>" in words.text


def test_only_the_messages_own_address_becomes_a_link():
    words = render(event("ticket_answered", "en", subject="http://evil.example/"), "email")
    assert words.html.count("href=") == 2  # its own, and the portal's in the foot
    assert 'href="http://evil.example' not in words.html


@pytest.mark.parametrize(("message", "secret"), [("phone_code", "482913"), ("confirm_email", "secret")])
def test_the_page_hides_codes_and_links(message, secret):
    it = event(message, "en")
    assert secret not in shown(it) and "••••••" in shown(it)
    it.context = {}
    assert "••••••" in shown(it)


def test_sms_hold_no_link():
    for message in CATALOGUE.values():
        if Channel.SMS in message.channels:
            assert "http" not in render(event(message.name, "en"), "sms").text
