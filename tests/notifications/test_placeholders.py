"""Values in a message's words: typed, cleaned, and never more than values."""

import pytest

from notifications.placeholders import Kind, Unfit, clean, fill, names, written


@pytest.mark.parametrize(
    ("kind", "value", "persian", "english"),
    [
        (Kind.MONEY, 1_320_000, "۱۳۲٬۰۰۰ تومان", "132,000 Toman"),
        (Kind.MONEY, 1_234_567, "۱٬۲۳۴٬۵۶۷ ریال", "1,234,567 Rial"),
        (Kind.NUMBER, "10001", "۱۰۰۰۱", "10001"),
        (Kind.NUMBER, 2, "۲", "2"),
        (Kind.NUMBER, "1405-000012", "\u200e1405-000012", "1405-000012"),
        (Kind.RECEIPT, "740012345678", "\u200e740012345678", "740012345678"),
        (Kind.DAY, "2026-12-01", "سه‌شنبه ۱۰ آذر ۱۴۰۵", "Tuesday 1 December 2026"),
        (Kind.DAY, "2026-12-23T20:30:00+00:00", "پنجشنبه ۳ دی ۱۴۰۵", "Thursday 24 December 2026"),
        (Kind.MOMENT, "2026-11-23T10:00:00+00:00", "دوشنبه ۲ آذر ۱۴۰۵ ساعت ۱۳:۳۰", "Monday 23 November 2026, 13:30"),
        (Kind.CODE, "482913", "482913", "482913"),
        (Kind.URL, "https://portal.example.com/x", "https://portal.example.com/x", "https://portal.example.com/x"),
        (Kind.TEXT, {"fa": "میزبانی", "en": "Hosting"}, "میزبانی", "Hosting"),
        (Kind.TEXT, "", "", ""),
        (Kind.COUNT, 0, "۰", "0"),
        (Kind.LINES, "a\r\n\n  b \u202ec", "a\nb c", "a\nb c"),
    ],
)
def test_each_kind_is_written_as_its_reader_reads_it(kind, value, persian, english):
    assert (written("x", kind, value, "fa"), written("x", kind, value, "en")) == (persian, english)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.MONEY, "1320000"),
        (Kind.MONEY, 13.5),
        (Kind.MONEY, True),
        (Kind.NUMBER, True),
        (Kind.NUMBER, "12\nBcc: x"),
        (Kind.DAY, "tomorrow"),
        (Kind.MOMENT, 5),
        (Kind.CODE, "48 29"),
        (Kind.CODE, 482913),
        (Kind.URL, "javascript:alert(1)"),
        (Kind.URL, "https://a.example/\nhttps://b.example/"),
        (Kind.TEXT, 5),
        (Kind.LINES, ["a"]),
        (Kind.COUNT, "3"),
        (Kind.TEXT, {"de": "Hallo"}),
    ],
)
def test_a_value_of_another_kind_is_refused_and_not_repeated(kind, value):
    with pytest.raises(Unfit) as refused:
        written("total", kind, value, "fa")
    assert str(refused.value) == f"total: not a {kind.value}"


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("My site\r\nBcc: all@example.com", "My site Bcc: all@example.com"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("a\u200bb\u00adc\ufeff", "a b c"),
        ("\x00\x1b[31m red", "[31m red"),
        ("line\u2028paragraph\u2029end", "line paragraph end"),
        ("  much   room ", "much room"),
        ("می\u200cشود", "می\u200cشود"),  # the half-space is a letter's own
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("A\U000e0041\U000e007f", "A"),  # tag characters, which nobody sees
    ],
)
def test_what_somebody_typed_cannot_turn_hide_or_part_the_words_around_it(typed, left):
    assert clean(typed) == left


def test_a_value_is_never_read_as_words():
    said = fill("Ticket: {{ subject }}", {"subject": "{{ code }} {% load x %}", "code": "482913"})
    assert said == "Ticket: {{ code }} {% load x %}"


@pytest.mark.parametrize(
    "source",
    [
        "{{ name.upper }}",
        "{{ name|safe }}",
        "{{ name['x'] }}",
        "{{ settings.SECRET_KEY }}",
        "{{ name.__class__ }}",
        "{{ Name }}",
        "{% if name %}x{% endif %}",
        "{% include 'x' %}",
        "{# name #}",
        "{{ {{ name }} }}",
        "{{ name",
        "{{\nname\n}}",
    ],
)
def test_no_tag_filter_or_attribute_exists(source):
    with pytest.raises(Unfit):
        fill(source, {"name": "x"})


def test_what_is_missing_is_not_left_empty():
    with pytest.raises(Unfit, match=r"^total$"):
        fill("{{ number }}: {{ total }}", {"number": "1"})
    assert fill("Reason: {{ reason }}", {"reason": ""}) == "Reason: –"
    assert fill("{{ more }} more", {"more": written("more", Kind.COUNT, 0, "en")}) == "0 more"


def test_the_names_in_words():
    assert names("{{ a }} {{b}} {{  c_d }} {{ A }}") == {"a", "b", "c_d"}
