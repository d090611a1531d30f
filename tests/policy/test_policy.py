"""/policy/ and its versions: exactly what was published, for everybody, for ever."""

import hashlib
import json
import re
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from policy import flows
from policy.models import Published, Version
from policy.page import render, title_of

# The policy, sentence by sentence, as the company gave it.
SENTENCES = (
    "Respecting the privacy of customers is very important for Yaghout Software Group.",
    "This document describes how we store and use your information when registering an account and ordering services "
    "in the customer service portal of Yaghout Software Group.",
    "Personal information of each customer such as name, surname, gender, date of birth, national code, contact "
    "numbers, e-mail, address, postal code and photo ID card is stored encrypted in our database and will not be "
    "disclosed to any private or legal person unless the competent authorities have formally requested such "
    "information.",
    "Tickets, messages, invoices, notifications at the time of upgrading or disruption of services, and other "
    "documents related to your services will be sent via email and SMS to the email address and mobile number "
    "provided in your account.",
    "We does not send promotional emails and text messages, we will only call your mobile number and phone number in "
    "special circumstances and in case of need for prompt notification.",
    "When you order and purchase our services in the customer service portal, all financial transactions are done "
    "through the Shaparak platform and the Yaghout Software Group only has access to the receipt, the time of the "
    "transaction to saves.",
    "Bank card information entered through Shaparak system and it's not related to our customer service portal.",
    "Yaghout Software Group to provide better and more efficient services, stores the information of the device you "
    "use (Phone, Tablet, etc.) including browser, operating system, hardware specs, as well as information related "
    "type of your connection to the internet including WIFI, 3G, 4G networks, etc. and also use cookies from user "
    "side and database on the service provider side.",
    "Yaghout Software Group reserves the right to revise and modify its privacy policies in certain circumstances in "
    "any way, the latest version of the privacy policies will always be available on this page and we ask you to "
    "review this page from time to time to stay up to date on our new policies.",
)
SECTIONS = (
    "Customers Personal Information",
    "Contacting Customers",
    "Financial Transactions",
    "Information Related to The Device and Internet Network",
    "The Right to Review Privacy Policies",
)
PERSIAN = {"accept-language": "fa"}


class Article(HTMLParser):
    """The words of the article, without its table of contents."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words, self.inside, self.skipping = [], False, False
        self.feed(page)
        self.text = " ".join("".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.inside |= tag == "article"
        self.skipping |= tag == "nav"

    def handle_endtag(self, tag):
        self.inside &= tag != "article"
        self.skipping &= tag != "nav"

    def handle_data(self, data):
        if self.inside and not self.skipping:
            self.words.append(data)


def publish(locale: str = "en", in_days: int = 0, **words: object) -> Version:
    body = f"# Privacy Policy\n\nWords number {Version.objects.count()} in {locale}.\n\n## One\n\nMore.\n"
    effective_from = timezone.localdate() + timedelta(days=in_days)
    return flows.publish(**{"body": body, "locale": locale, "effective_from": effective_from, **words})


def test_the_first_version_says_every_sentence(anyone, db):
    page = anyone.get(reverse("policy"))
    shown = Article(page.content.decode()).text
    for words in (*SENTENCES, *SECTIONS, "Yaghout Software Group", "Privacy Policy"):
        assert words in shown
    leftover = shown
    for words in (*SENTENCES, *SECTIONS, "Yaghout Software Group", "Privacy Policy"):
        leftover = leftover.replace(words, "", 1)
    assert not leftover.strip()


def test_the_persian_reader_gets_it_in_persian(anyone, db):
    page = anyone.get(reverse("policy"), headers=PERSIAN).content.decode()
    assert '<article class="prose" id="policy" lang="fa" dir="rtl"' in page
    assert "گروه نرم‌افزاری یاقوت" in page
    assert page.count("<h2 id=") - page.count('<h2 id="about"') == 5
    assert "۱" in page
    assert "سه‌شنبه" not in Article(page).text


@pytest.mark.parametrize("locale", ["en", "fa"])
def test_the_page_shows_exactly_the_row_in_force(anyone, db, locale):
    version = Version.objects.in_force(locale)
    assert hashlib.sha256(version.body.encode()).hexdigest() == version.sha256
    page = anyone.get(reverse("policy"), headers={"accept-language": locale}).content.decode()
    assert f'data-sha256="{version.sha256}"' in page
    whole = render(version.body)
    assert str(whole.opening) in page
    assert str(whole.rest) in page
    plain = re.sub(r"^#+ ", "", version.body, flags=re.MULTILINE)
    assert Article(page).text == " ".join(plain.split())


def test_the_contents_link_every_section(anyone, db):
    page = anyone.get(reverse("policy")).content.decode()
    links = re.findall(r'<li><a href="#(section-\d)">([^<]+)</a>', page)
    assert [title for _anchor, title in links] == list(SECTIONS)
    for anchor, title in links:
        assert f'<h2 id="{anchor}">{title}</h2>' in page


def test_the_page_tells_number_date_hash_and_the_other_language(anyone, db):
    version = Version.objects.get(number=1, locale="en")
    page = anyone.get(reverse("policy")).content.decode()
    assert "Sunday 1 November 2026" in page
    assert f'title="{version.sha256}">{version.sha256[:16]}…' in page
    assert "/policy/versions/1/?locale=fa" in page
    assert "فارسی" in page
    other = anyone.get("/policy/versions/1/?locale=fa").content.decode()
    assert 'id="policy" lang="fa" dir="rtl"' in other


def test_every_page_links_to_it(anyone, db):
    for name in ("policy", "policy_versions", "account_login"):
        assert f'href="{reverse("policy")}"' in anyone.get(reverse(name)).content.decode()


def test_a_version_stays_for_ever(anyone, db):
    publish("en")
    first = anyone.get(reverse("policy_version", args=[1])).content.decode()
    assert SENTENCES[0] in first
    assert "no longer in force" in first
    assert SENTENCES[0] not in anyone.get(reverse("policy")).content.decode()


def test_a_coming_version_is_not_in_force_before_its_day(anyone, db):
    coming = publish("en", in_days=10)
    assert Version.objects.in_force("en").number == 1
    assert SENTENCES[0] in anyone.get(reverse("policy")).content.decode()
    assert "takes effect on" in anyone.get(coming.get_absolute_url()).content.decode()
    listed = anyone.get(reverse("policy_versions")).content.decode()
    assert listed.count("Coming") == 1
    assert listed.count("In force\n") + listed.count(">In force<") >= 1


def test_exactly_one_version_is_in_force_whatever_was_published(db):
    publish("en", in_days=30)
    publish("fa", in_days=30)
    publish("en", in_days=0)
    assert Version.objects.in_force("en").number == 3
    assert Version.objects.in_force("fa").number == 1


@pytest.mark.parametrize("address", ["/policy/versions/99/", "/policy/versions/0/"])
def test_a_version_that_never_was_is_not_found(anyone, db, address):
    assert anyone.get(address).status_code == 404


def test_an_odd_locale_shows_what_there_is(anyone, db):
    assert anyone.get("/policy/versions/1/?locale=xx").status_code == 200


def test_nothing_is_changed_by_posting(anyone, db):
    for name in ("policy", "policy_versions", "policy_json"):
        assert anyone.post(reverse(name)).status_code == 405


def test_the_data_carry_the_text_and_its_hash(anyone, db):
    told = json.loads(anyone.get(reverse("policy_json")).content)["in_force"]
    assert set(told) == {"en", "fa"}
    for version in told.values():
        assert hashlib.sha256(version["text"].encode()).hexdigest() == version["sha256"]
        assert version["number"] == 1
        assert version["effective_from"] == "2026-11-01"


def test_a_published_text_cannot_be_changed_in_django(db):
    version = Version.objects.in_force("en")
    version.body += "And more."
    for forbidden in (
        version.save,
        version.delete,
        Version.objects.all().delete,
        lambda: Version.objects.update(summary="x"),
    ):
        with pytest.raises(Published):
            forbidden()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE policy_version SET body = body || 'x'",
        "UPDATE policy_version SET effective_from = '2020-01-01'",
        "DELETE FROM policy_version",
        "INSERT INTO policy_version (number, locale, title, body, sha256, summary, is_material, published_at,"
        " effective_from) VALUES (9, 'en', 't', 'one text', repeat('0', 64), '', false, now(), '2030-01-01')",
    ],
)
def test_a_published_text_cannot_be_changed_in_the_database(db, statement):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_html_in_a_text_is_shown_and_not_obeyed(anyone, db):
    body = '# Title\n\n<script>alert(1)</script> [x](javascript:alert(1)) <b onclick="x">b</b>\n'
    publish("en", body=body)
    page = anyone.get(reverse("policy")).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert 'href="javascript' not in page
    assert "<b onclick" not in page


def test_the_title_is_the_first_heading():
    assert title_of("By us\n\n# The title\n\n## Not this\n") == "The title"
    assert title_of("no heading") == ""


def test_the_fixed_day_of_the_first_version(db):
    assert set(Version.objects.values_list("number", "effective_from")) == {(1, date(2026, 11, 1))}


def test_staff_read_versions_and_cannot_change_them(carol_client):
    version = Version.objects.in_force("fa")
    assert version.sha256 in carol_client.get("/admin/policy/version/").content.decode()
    assert carol_client.get(f"/admin/policy/version/{version.pk}/change/").status_code == 200
    assert carol_client.post(f"/admin/policy/version/{version.pk}/delete/").status_code == 403
    assert carol_client.get("/admin/policy/version/add/").status_code == 403
