"""`manage.py publish_policy`: what an operator types."""

import hashlib
import json
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from notifications.flows import approve_broadcast, fan_out_due
from notifications.models import Broadcast, Event
from policy import flows
from policy.models import Version
from tests.base import make_customer

TEXT = "# Privacy Policy\n\nNew words.\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.md"
    path.write_text(TEXT, encoding="utf-8")
    return path


def day(days: int = 0) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


def publish(file: Path, *options: str, locale: str = "en", effective: str | None = None) -> str:
    out = StringIO()
    call_command(
        "publish_policy", str(file), "--locale", locale, "--effective", effective or day(7), *options, stdout=out
    )
    return out.getvalue()


def test_it_publishes_the_next_number_and_prints_the_hash(db, file):
    printed = publish(file, "--material", "--summary", "Two words are new.")
    version = Version.objects.get(number=2)
    assert (version.locale, version.is_material, version.summary) == ("en", True, "Two words are new.")
    assert version.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()
    assert f"version 2 (en)  sha256 {version.sha256}" in printed
    assert "still missing in: fa" in printed


def test_the_second_language_takes_the_same_number(db, file):
    publish(file)
    file.write_text("# سیاست\n\nمتن تازه.\n", encoding="utf-8")
    assert "missing" not in publish(file, locale="fa")
    assert set(Version.objects.filter(number=2).values_list("locale", flat=True)) == {"en", "fa"}
    file.write_text("# Privacy Policy\n\nNewer words.\n", encoding="utf-8")
    publish(file)
    assert Version.objects.get(number=3).locale == "en"


def test_it_prints_json_when_asked(db, file):
    told = json.loads(publish(file, "--json"))
    assert (told["number"], told["locale"], told["customers"]) == (2, "en", 0)
    assert len(told["sha256"]) == 64


@pytest.mark.parametrize(
    ("words", "why"), [("", "empty"), (" \n\n", "empty"), ("no heading\n", "no title"), (b"\xff\xfe\xfa", "not UTF-8")]
)
def test_a_bad_text_is_refused_in_one_line(db, file, words, why):
    file.write_bytes(words if isinstance(words, bytes) else words.encode())
    with pytest.raises(CommandError, match=why) as refusal:
        publish(file)
    assert "\n" not in str(refusal.value)
    assert Version.objects.count() == 2


@pytest.mark.parametrize(("effective", "why"), [("2020-01-01", "past"), ("tomorrow", "YYYY-MM-DD")])
def test_a_bad_date_is_refused(db, file, effective, why):
    with pytest.raises(CommandError, match=why):
        publish(file, effective=effective)
    assert Version.objects.count() == 2


def test_a_missing_file_is_refused(db, tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        publish(tmp_path / "none.md")


def test_the_same_text_twice_is_refused_whatever_its_line_ends(db, file):
    publish(file)
    file.write_bytes(TEXT.replace("\n", "\r\n").encode() + b"\r\n")
    with pytest.raises(CommandError, match="already published: version 2"):
        publish(file)
    assert Version.objects.filter(locale="en").count() == 2


def test_a_version_that_is_the_first_text_again_is_refused(db, file):
    file.write_text(Version.objects.get(number=1, locale="en").body, encoding="utf-8")
    with pytest.raises(CommandError, match="already published: version 1"):
        publish(file)


def approve(carol) -> None:
    """What a member of staff does after the command."""
    approve_broadcast(broadcast=Broadcast.objects.get(), by=carol)
    fan_out_due()


def test_nobody_is_told_before_a_member_of_staff_approves_it(alice, file):
    printed = publish(file)
    broadcast = Broadcast.objects.get()
    assert f"/admin/notifications/broadcast/{broadcast.pk}/change/" in printed
    assert "nothing goes out before a member of staff approves it there" in printed
    fan_out_due()
    assert (broadcast.status, broadcast.prepared_by) == ("ready", None)
    assert not Event.objects.filter(message="policy_published").exists()


def test_every_active_reader_of_the_language_is_told_once(alice, bob, carol, file):
    readers = [make_customer(f"r{n}@example.com", f"+98912333000{n}", language="en") for n in range(4)]
    make_customer("gone@example.com", "+989123330009", language="en", is_active=False)
    printed = publish(file)
    assert "announced to 6 customers" in printed
    approve(carol)
    events = Event.objects.filter(message="policy_published")
    assert {event.customer_id for event in events} == {alice.pk, carol.pk, *(reader.pk for reader in readers)}
    assert events[0].words_context["version"] == 2
    assert events[0].words_context["effective"] == day(7)
    assert events[0].words_context["url"].endswith("/policy/versions/2/")


def test_an_interrupted_announcement_is_finished_and_nobody_is_told_twice(carol, file):
    version = flows.publish(body=TEXT, locale="en", effective_from=timezone.localdate())
    with pytest.raises(CommandError, match="already published"):
        publish(file)
    publish(file, "--resume")
    approve(carol)
    assert "(sending)" in publish(file, "--resume")
    fan_out_due()
    assert Event.objects.filter(message="policy_published").count() == 1
    assert Version.objects.filter(number=version.number).count() == 1


def test_there_is_nothing_to_resume_of_a_new_text(db, file):
    with pytest.raises(CommandError, match="never published"):
        publish(file, "--resume")
