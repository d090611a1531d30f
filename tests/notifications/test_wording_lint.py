"""What words must not be: advertising, a way to somewhere else, or without what they are for."""

import pytest
from django.utils import translation

from notifications import flows, lint, shipped
from notifications.catalogue import CATALOGUE
from notifications.shipped import Texts

KIND, CODE = CATALOGUE["invoice_issued"], CATALOGUE["phone_code"]
GOOD = Texts("Bill {{ number }}", "{{ total }}:\n\n{{ url }}", "Bill {{ number }}")


@pytest.fixture(autouse=True)
def in_english(settings):
    settings.SITE_HOST = "portal.example.com"
    with translation.override("en"):
        yield


def faults(kind=KIND, **changes: str) -> list[str]:
    return lint.faults(kind, GOOD._replace(**changes))


def test_good_words_have_no_fault():
    assert faults() == []


@pytest.mark.parametrize("language", ["fa", "en"])
@pytest.mark.parametrize("message", CATALOGUE)
def test_the_releases_own_words_keep_the_rules(message, language):
    texts = shipped.texts(message, language)
    found = lint.faults(CATALOGUE[message], texts)
    if any("{%" in part for part in texts):  # conditions, which only the release knows, and which lengthen the source
        found = [fault for fault in found if not fault.startswith(("Braces", "The subject is one line"))]
    assert found == []


@pytest.mark.parametrize(
    "words",
    [
        "تخفیف ویژهٔ نوروز",
        "تخفيف",  # with an Arabic Yeh
        "تخفیف‌های تازه",
        "تخ‌فیف",  # parted by a half-space
        "تخـــفیف",  # stretched
        "تَخفیف",
        "تخ\u200bفیف",
        "جشنواره تابستان",
        "پیشنهاد‌ ویژه",
        "پیشنهادویژه",
        "20% off",
        "Special offer",
        "SALE today",
        "Two discounts",
        "Black  Friday",
        "Black-Friday",
        "ｏｆｆｅｒ",  # wide letters
    ],
)
@pytest.mark.parametrize("part", ["subject", "text", "sms"])
def test_words_of_advertising_are_refused(part, words):
    found = faults(**{part: f"{getattr(GOOD, part)}\n{words}" if part == "text" else words})
    assert any("advertising" in fault for fault in found)


@pytest.mark.parametrize(
    "words", ["Salesforce", "officer", "wholesaler", "طرح راجع به شما", "استخراج", "خفیف", "3% offline"]
)
def test_other_words_are_not_taken_for_advertising(words):
    assert lint.advertising_in(words) == []


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/",
        "http://portal.example.com@evil.example/",
        "https://portal.example.com.evil.example/",
        "//evil.example/x",
        "see www.evil.example today",
        "evil.example",
        "evil.ir/offer1",
        "نمونه.ایران",
        "ftp://evil.example",
        "HTTPS://EVIL.EXAMPLE",
        "https://evil．example",  # a wide full stop
    ],
)
def test_a_message_leads_to_no_other_site(link):
    assert any("not our site" in fault for fault in faults(text=f"{GOOD.text}\n{link}"))


def test_our_own_site_may_be_named_in_an_email_and_no_site_in_an_sms():
    assert faults(text=f"{GOOD.text}\nhttps://portal.example.com/help/ or portal.example.com") == []
    for sms in ("See portal.example.com", "https://portal.example.com/", "{{ url }}"):
        assert "An SMS holds no link." in faults(sms=sms)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"subject": ""}, "The subject is empty."),
        ({"subject": "x" * 121}, "at most 120 characters"),
        ({"subject": "x\nBcc: y"}, "one line"),
        ({"text": ""}, "The e-mail is empty."),
        ({"sms": ""}, "The SMS is empty."),
        ({"sms": "س" * 901}, "at most 900 characters"),
        ({"sms": "{{ total"}, "Braces are for placeholders alone"),
        ({"sms": "{{ total|toman }}"}, "Braces are for placeholders alone"),
        ({"sms": "{% if total %}x{% endif %}"}, "Braces are for placeholders alone"),
        (
            {"sms": "{{ password }}"},
            "{{ password }} is no placeholder of this message. It has: {{ number }}, {{ total }}",
        ),
        ({"text": "{{ total }}"}, "The e-mail needs {{ url }}."),
        ({"text": "Here: {{ url }}"}, "{{ url }} needs a line of its own"),
        ({"text": GOOD.text + "\n\u202eabc"}, "invisible character"),
        ({"sms": "a\u200bb"}, "invisible character"),
    ],
)
def test_each_fault_has_its_words(changes, fault):
    assert any(fault in found for found in faults(**changes)), faults(**changes)


def test_a_code_must_be_in_the_words_of_a_code():
    assert lint.faults(CODE, Texts("Code", "", "Yaghout")) == ["The SMS needs {{ code }}."]


def test_faulty_words_are_neither_proposed_nor_published(carol, monkeypatch):
    words = {"subject": "Special offer", "text": GOOD.text, "sms": GOOD.sms}
    draft = flows.draft_wording(message="invoice_issued", language="en", by=carol, **words)
    with pytest.raises(flows.NotFit) as refused:
        flows.propose_wording(wording=draft, by=carol)
    assert refused.value.faults == ["“offer” is a word of advertising, and we send none."]
    draft.propose(carol)  # as if an older release had let it through
    with pytest.raises(flows.NotFit):
        flows.publish_wording(wording=draft, by=carol)
