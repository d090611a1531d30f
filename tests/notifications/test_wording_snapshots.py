"""Every message as it goes out, word for word: a changed translation or template shows here before a customer reads it.

The texts change only on purpose: `SNAPSHOTS=write make test ARGS=tests/notifications/test_wording_snapshots.py`, and
what `git diff` shows then is what customers will read.
"""

import os
from pathlib import Path

import pytest

from accounts.models import Customer
from notifications.messages import CATALOGUE, render
from notifications.models import Channel, Event, Wording
from tests.notifications.base import SAMPLES

pytestmark = pytest.mark.django_db
FOLDER = Path(__file__).parent / "wordings"
LANGUAGES = ("fa", "en")


@pytest.fixture(autouse=True)
def always_the_same_site(settings) -> None:
    settings.SITE_URL = "https://portal.example.com"


def same(name: str, said: str) -> None:
    path = FOLDER / name
    if os.environ.get("SNAPSHOTS") == "write":
        path.write_text(said, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == said


def shipped(message: str, language: str) -> tuple[Event, Wording]:
    event = Event(customer=Customer(), message=message, language=language, context=SAMPLES[message])
    newest = Wording.objects.of(message, language).filter(source=Wording.Source.SHIPPED).first()
    assert newest, "the release brought words"
    return event, newest


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("message", CATALOGUE)
def test_a_message_says_what_it_said(message, language):
    event, wording = shipped(message, language)
    said = []
    for channel in CATALOGUE[message].channels:
        words = render(event, channel, wording.pk)
        said.append(f"[{channel}] {words.subject}".rstrip() + f"\n{words.text.rstrip()}\n")
    same(f"{message}.{language}.txt", "\n".join(said))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_letter_looks_as_it_looked(language):
    event, wording = shipped("invoice_issued", language)
    same(f"letter.{language}.html", render(event, Channel.EMAIL, wording.pk).html)


def test_every_text_belongs_to_a_message():
    known = {f"{message}.{language}.txt" for message in CATALOGUE for language in LANGUAGES}
    assert {path.name for path in FOLDER.iterdir()} == known | {f"letter.{language}.html" for language in LANGUAGES}
