"""The words of messages: who may change them, what they may be, and which of them a customer reads."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from notifications import flows, shipped
from notifications.catalogue import CATALOGUE
from notifications.flows.wordings import NEWER
from notifications.models import Event, Purpose, Wording
from notifications.models.wording import hash_of, in_force
from tests.notifications.base import OTHER_WORDS

Status, Source = Wording.Status, Wording.Source


def change(wording: Wording, **fields: object) -> None:
    """As somebody at psql."""
    with transaction.atomic():
        Wording.objects.filter(pk=wording.pk).update(**fields)


def next_release(monkeypatch, message: str, subject: str) -> None:
    texts = shipped.texts

    def changed(name: str, language: str) -> shipped.Texts:
        return texts(name, language)._replace(subject=subject) if name == message else texts(name, language)

    monkeypatch.setattr(shipped, "texts", changed)


# --- no word of advertising -------------------------------------------------------------------------------------------


def test_no_purpose_is_for_advertising(alice, tell):
    assert set(Purpose.values) == {"code", "security", "money", "ticket", "service", "legal"}
    event = tell(alice, "password_changed")
    for purpose in ("marketing", "promotion", "ads", ""):
        with pytest.raises(IntegrityError, match="purpose_is_owed"), transaction.atomic():
            Event.objects.filter(pk=event.pk).update(purpose=purpose)


def test_every_message_has_words_in_both_languages(db):
    have = {(row.message, row.language) for row in Wording.objects.in_force()}
    assert have == {(message, language) for message in CATALOGUE for language in ("fa", "en")}


# --- two people, and nothing that changes afterwards ------------------------------------------------------------------


def test_words_are_published_by_a_second_person(draft, carol, erin):
    flows.propose_wording(wording=draft, by=carol)
    with pytest.raises(Exception, match="second person"):
        flows.publish_wording(wording=draft, by=carol)
    with pytest.raises(IntegrityError, match="takes_two"), transaction.atomic():
        draft.publish(carol)
    assert flows.publish_wording(wording=draft, by=erin) and not flows.publish_wording(wording=draft, by=erin)
    assert draft.decided_by == erin and draft.decided_at


def test_a_draft_cannot_be_published_without_being_proposed(draft, erin):
    with pytest.raises(ValueError, match="not allowed"):
        flows.publish_wording(wording=draft, by=erin)


def test_proposed_words_never_change(draft, carol):
    flows.propose_wording(wording=draft, by=carol)
    with pytest.raises(flows.OneWaits):
        flows.draft_wording(message="invoice_issued", language="en", by=carol, **OTHER_WORDS | {"sms": "x"})
    with pytest.raises(IntegrityError, match="never change"):
        change(draft, subject="x", sha256="0" * 64)
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        draft.delete()


def test_what_was_decided_stays_whoever_asks(published, carol):
    for fields in ({"text": "x"}, {"status": "draft"}, {"decided_by": None}, {"number": 99}, {"decided_at": None}):
        with pytest.raises(IntegrityError):
            change(published, **fields)
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        Wording.objects.filter(pk=published.pk).delete()


def test_the_database_knows_the_hash_of_the_words(draft):
    with pytest.raises(IntegrityError, match="sha256_is_of_words"):
        change(draft, sms="other words")


def test_a_draft_is_changed_and_there_is_only_one(draft, erin):
    again = flows.draft_wording(message="invoice_issued", language="en", by=erin, **OTHER_WORDS | {"sms": "Shorter"})
    assert again.pk == draft.pk and again.sms == "Shorter" and again.proposed_by == erin


def test_words_are_rejected_with_a_reason(draft, carol, erin):
    flows.propose_wording(wording=draft, by=carol)
    with pytest.raises(IntegrityError, match="with_reason"), transaction.atomic():
        flows.reject_wording(wording=draft, by=erin, reason="")
    assert flows.reject_wording(wording=draft, by=erin, reason="Unfriendly")
    assert in_force.of("invoice_issued", "en").is_shipped


# --- what the release brings ------------------------------------------------------------------------------------------


def test_the_same_release_brings_nothing_twice(db):
    before = Wording.objects.count()
    assert flows.ship_wordings() == 0 and Wording.objects.count() == before


def test_a_newer_release_replaces_its_own_words(db, monkeypatch):
    next_release(monkeypatch, "invoice_issued", "Newer {{ number }}")
    assert flows.ship_wordings() == 2
    in_force.forget()
    now = in_force.of("invoice_issued", "en")
    assert (now.number, now.subject, now.source) == (2, "Newer {{ number }}", Source.SHIPPED)


def test_a_release_does_not_replace_what_staff_published(published, erin, monkeypatch):
    next_release(monkeypatch, "invoice_issued", "Newer {{ number }}")
    flows.ship_wordings()
    in_force.forget()
    assert in_force.of("invoice_issued", "en") == published
    waiting = Wording.objects.of("invoice_issued", "en").open().get()
    assert waiting.is_shipped and waiting.proposed_by is None
    next_release(monkeypatch, "invoice_issued", "Newest {{ number }}")
    flows.ship_wordings()
    waiting.refresh_from_db()
    assert (waiting.status, waiting.reason) == (Status.REJECTED, NEWER)
    newest = Wording.objects.of("invoice_issued", "en").open().get()
    assert flows.publish_wording(wording=newest, by=erin)
    in_force.forget()
    assert in_force.of("invoice_issued", "en") == newest


def test_a_release_that_staff_refused_does_not_come_again(published, erin, monkeypatch):
    next_release(monkeypatch, "invoice_issued", "Newer {{ number }}")
    flows.ship_wordings()
    waiting = Wording.objects.of("invoice_issued", "en").open().get()
    flows.reject_wording(wording=waiting, by=erin, reason="Ours is better")
    assert flows.ship_wordings() == 0
    assert not Wording.objects.of("invoice_issued", "en").open().exists()


def test_only_staffs_words_have_who_proposed_them(db, carol):
    words = {"message": "suspended", "language": "fa", "subject": "x", "sha256": hash_of("x", "", "")}
    for number, fields in enumerate(({"source": "edited"}, {"source": "shipped", "proposed_by": carol}), start=8):
        with pytest.raises(IntegrityError, match="somebody_proposed_it"), transaction.atomic():
            Wording.objects.create(number=number, status="published", decided_at=Now(), **words, **fields)
