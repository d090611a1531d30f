"""Staff screens of the words of messages."""

from dataclasses import replace
from itertools import count

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from notifications import flows
from notifications.catalogue import CATALOGUE
from notifications.models import Wording
from notifications.models.wording import in_force
from notifications.placeholders import Kind
from tests.base import make_customer, show_second_factor
from tests.notifications.base import OTHER_WORDS

HOME = "/admin/notifications/wording/"
OF = f"{HOME}of/invoice_issued/en/"


def client_of(staff) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(staff)
    show_second_factor(client, staff)
    return client


@pytest.fixture
def with_right(db):
    """A member of staff who holds these rights and no other."""
    numbers = count(1000)

    def make(*rights: str) -> Client:
        staff = make_customer(f"{rights[0]}@example.com", f"+98912111{next(numbers)}", is_staff=True)
        names = {f"{right}_wording" for right in ("view", *rights)}
        staff.user_permissions.set(Permission.objects.filter(codename__in=names))
        return client_of(staff)

    return make


@pytest.fixture
def erin_client(erin):
    erin.is_superuser = True
    erin.save()
    return client_of(erin)


def page_of(client: Client, path: str, status: int = 200, **post: object) -> str:
    response = client.post(path, post, follow=True) if post else client.get(path)
    assert response.status_code == status, path
    return response.content.decode()


def test_the_catalogue_lists_every_message_in_both_languages(carol_client, published, draft):
    page = page_of(carol_client, HOME)
    assert page.count("/of/invoice_issued/") == 2 and page.count("/of/phone_code/") == 2
    assert "Bill 1405-000012" in page and "written by our staff" in page and "came with the release" in page
    assert "Security and payment" in page and "no longer fit" not in page


def test_words_are_written_looked_at_proposed_and_published(carol_client, erin_client, alice, tell):
    assert "We have issued invoice {{ number }}" in page_of(carol_client, OF + "edit/")
    page = page_of(carol_client, OF + "edit/", **OTHER_WORDS)
    draft = Wording.objects.of("invoice_issued", "en").open().get()
    own = f"{HOME}{draft.pk}/"
    assert "132,000 Toman until Tuesday 1 December 2026:" in page, "as plain text"
    assert "1 part, " in page and "Latin letters" in page and "<del>" in page and "<ins>" in page
    assert "You proposed these words" in page_of(carol_client, own + "propose/", go="1")
    assert page_of(carol_client, own + "publish/", status=403, go="1")
    assert "Published. It counts from now on." in page_of(erin_client, own + "publish/", go="1")
    in_force.forget()
    assert tell(alice, "invoice_issued").title == "Bill 1405-000012"
    assert "Version 2 · Published · written by our staff" in page_of(carol_client, OF)


def test_faults_are_listed_and_nothing_is_proposed(carol_client):
    page = page_of(carol_client, OF + "edit/", **OTHER_WORDS | {"sms": "Discount at www.evil.example {{ total }}"})
    assert "word of advertising" in page and "An SMS holds no link." in page and ">Propose<" not in page
    draft = Wording.objects.of("invoice_issued", "en").open().get()
    page = page_of(carol_client, f"{HOME}{draft.pk}/propose/", go="1")
    draft.refresh_from_db()
    assert draft.status == "draft" and "word of advertising" in page


def test_words_are_not_taken_with_a_reason_that_stays(carol_client, erin_client, draft, carol):
    flows.propose_wording(wording=draft, by=carol)
    own = f"{HOME}{draft.pk}/"
    assert "This field is required." in page_of(erin_client, own + "reject/", reason="")
    assert "Too short to be kind" in page_of(erin_client, own + "reject/", reason="Too short to be kind")
    assert "A colleague was faster" in page_of(erin_client, own + "publish/", go="1")


def test_the_release_brought_other_words_and_staff_decide(carol_client, published, monkeypatch):
    texts = flows.wordings.shipped.texts
    monkeypatch.setattr(
        flows.wordings.shipped, "texts", lambda name, tongue: texts(name, tongue)._replace(subject="Newer")
    )
    flows.ship_wordings()
    waiting = Wording.objects.of("invoice_issued", "en").open().get()
    assert "The release brought other words" in page_of(carol_client, HOME)
    assert "keep what is in force" in page_of(carol_client, f"{HOME}{waiting.pk}/")
    assert "Published." in page_of(carol_client, f"{HOME}{waiting.pk}/publish/", go="1")


def test_words_that_no_longer_fit_the_release_are_seen(carol_client, published, monkeypatch):
    smaller = replace(CATALOGUE["invoice_issued"], placeholders={"number": Kind.NUMBER, "url": Kind.URL})
    monkeypatch.setitem(CATALOGUE, "invoice_issued", smaller)
    assert "no longer fit this release" in page_of(carol_client, HOME)


def test_writing_and_publishing_are_rights_apart(with_right, draft, carol):
    reader, writer, publisher = with_right("view"), with_right("edit"), with_right("publish")
    own = f"{HOME}{draft.pk}/"
    for path in (HOME, OF, own, own + "letter/usual/"):
        assert page_of(reader, path)
    for path in ("propose/", "publish/", "reject/"):
        page_of(reader, own + path, status=403, reason="because")
    page_of(reader, OF + "edit/", status=403)
    page_of(publisher, OF + "edit/", status=403)
    page_of(publisher, own + "propose/", status=403, go="1")
    assert "Proposed." in page_of(writer, own + "propose/", go="1")
    page_of(writer, own + "publish/", status=403, go="1")
    page_of(writer, own + "reject/", status=403, reason="because")
    assert "Published." in page_of(publisher, own + "publish/", go="1")


def test_customers_and_strangers_do_not_come_in(alice_client, anyone, draft):
    for path in (HOME, OF, OF + "edit/", f"{HOME}{draft.pk}/", f"{HOME}{draft.pk}/letter/usual/"):
        assert alice_client.get(path).status_code == anyone.get(path).status_code == 302


def test_nothing_happens_on_reading(carol_client, draft):
    for verb in ("propose", "publish", "reject"):
        assert carol_client.get(f"{HOME}{draft.pk}/{verb}/").status_code == 405


def test_what_is_not_there_is_not_found(carol_client, draft):
    for path in ("of/newsletter/en/", "of/invoice_issued/de/", "of/newsletter/en/edit/", "999999/"):
        assert carol_client.get(HOME + path).status_code == 404
    assert carol_client.get(f"{HOME}{draft.pk}/letter/rude/").status_code == 404
    assert carol_client.get(f"{HOME}{draft.pk}/change/").headers["Location"] == f"{HOME}{draft.pk}/"


@pytest.mark.parametrize("flavour", ["usual", "long", "empty", "mixed"])
def test_the_letter_stands_in_a_frame_that_can_do_nothing(carol_client, draft, flavour):
    page = carol_client.get(f"{HOME}{draft.pk}/")
    assert f'sandbox src="{HOME}{draft.pk}/letter/{flavour}/"' in page.content.decode()
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    letter = carol_client.get(f"{HOME}{draft.pk}/letter/{flavour}/")
    policy = letter.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'") and "script-src" not in policy
    assert letter.headers["X-Frame-Options"] == "SAMEORIGIN" and "<script" not in letter.content.decode()


@pytest.mark.parametrize("language", ["fa", "en"])
def test_what_a_customer_may_try_is_shown_harmless(carol_client, language):
    wording = Wording.objects.of("ticket_opened", language).get()
    page = page_of(carol_client, f"{HOME}{wording.pk}/")
    letter = page_of(carol_client, f"{HOME}{wording.pk}/letter/mixed/")
    assert "\u202e" not in page + letter and "<b>" not in letter and "&lt;b&gt;" in letter
    assert "Bcc: {{ code }}" in letter, "a value's braces are only characters"


def test_every_shipped_wording_can_be_looked_at(carol_client):
    for wording in Wording.objects.filter(language="fa"):
        assert "cannot be written" not in page_of(carol_client, f"{HOME}{wording.pk}/"), wording
