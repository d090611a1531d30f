"""The release's words in one language: nothing is left to be translated, placeholders and conditions stay."""

import pytest
from django.template.base import Lexer
from django.utils import translation

from notifications import shipped
from notifications.placeholders import Kind, Unfit, written


def flat(source: str, language: str = "en") -> str:
    with translation.override(language):
        return "".join(shipped._in_its_language(iter(Lexer(source).tokenize())))


def test_translations_are_put_in():
    assert flat('{% load i18n %}{% translate "Hello," %} {{ name }}', "fa") == "سلام، {{ name }}"
    assert "{%" not in shipped.texts("invoice_issued", "fa").text


def test_placeholders_and_conditions_stay():
    source = (
        '{% if what == "x" %}{% blocktranslate trimmed %}\n A {{ b }}\n C{% endblocktranslate %}{% endif %}{# why #}'
    )
    assert flat(source) == '{% if what == "x" %}A {{ b }} C{% endif %}'


def test_a_counted_text_keeps_both_forms():
    source = (
        "{% blocktranslate trimmed count count=count with shown=count|digits %}{{ shown }} answer, 100%"
        "{% plural %}{{ shown }} answers, 100%{% endblocktranslate %}"
    )
    text = flat(source)
    assert text == (
        "{% if count.is_one %}{{ count|digits }} answer, 100%{% else %}{{ count|digits }} answers, 100%{% endif %}"
    )
    for number, said in ((1, "1 answer, 100%"), (3, "3 answers, 100%"), (0, "0 answers, 100%")):
        assert shipped.fill(text, {"count": written("count", Kind.COUNT, number, "en")}) == said


def test_none_is_asked_for_as_no_number():
    for number, said in ((0, "no"), (2, "۲")):
        values = {"more": written("more", Kind.COUNT, number, "fa")}
        assert shipped.fill("{% if more %}{{ more }}{% else %}no{% endif %}", values) == said


def test_what_is_not_there_is_named_and_not_left_empty():
    with pytest.raises(Unfit, match=r"^total$"):
        shipped.fill("{{ number }} {{ total }}", {"number": "1"})
    assert shipped.fill("{% if total %}{{ total }}{% endif %}x", {}) == "x"


def test_what_a_message_cannot_keep_is_refused():
    with pytest.raises(ValueError, match="asvar"):
        flat("{% blocktranslate asvar x %}a{% endblocktranslate %}")
