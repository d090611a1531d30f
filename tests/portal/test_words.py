"""Digits, days and money as a customer reads them."""

from datetime import UTC, date, datetime

import pytest
from django.template import Context, Template
from django.utils import translation

from portal import jalali

LUNCH = datetime(2026, 11, 23, 9, 50, tzinfo=UTC)  # 13:20 in Tehran
LATE = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)  # midnight in Tehran, the next day


def page(source: str, language: str, **context: object) -> str:
    with translation.override(language):
        return Template("{% load words %}" + source).render(Context(context))


def test_digits_follow_the_language_of_the_page() -> None:
    assert page("{{ n|digits }}", "fa", n=1405) == "۱۴۰۵"
    assert page("{{ n|digits }}", "en", n="۱۴۰۵") == "1405"


def test_arabic_digits_become_persian_or_latin_ones() -> None:
    assert jalali.digits("٤٥٦", "fa") == "۴۵۶"
    assert jalali.digits("٤٥٦", "en") == "456"


def test_digits_leave_markup_of_a_stranger_escaped() -> None:
    assert page("{{ n|digits }}", "fa", n="<b>1</b>") == "&lt;b&gt;۱&lt;/b&gt;"


@pytest.mark.parametrize(
    ("gregorian", "persian"),
    [
        (date(2026, 11, 23), "دوشنبه ۲ آذر ۱۴۰۵"),
        (date(2026, 3, 21), "شنبه ۱ فروردین ۱۴۰۵"),
        (date(2026, 3, 20), "جمعه ۲۹ اسفند ۱۴۰۴"),
        (date(2025, 3, 20), "پنجشنبه ۳۰ اسفند ۱۴۰۳"),  # the last day of a leap year
        (date(2025, 3, 21), "جمعه ۱ فروردین ۱۴۰۴"),
        (date(1979, 2, 11), "یکشنبه ۲۲ بهمن ۱۳۵۷"),
        (date(2024, 9, 22), "یکشنبه ۱ مهر ۱۴۰۳"),
    ],
)
def test_days_are_jalali_with_their_weekday_in_persian(gregorian: date, persian: str) -> None:
    assert jalali.day(gregorian, "fa") == persian


def test_days_are_gregorian_in_english() -> None:
    assert jalali.day(date(2026, 11, 23), "en") == "Monday 23 November 2026"
    assert jalali.day(date(2026, 11, 23), "en-gb") == "Monday 23 November 2026"


def test_moments_are_told_by_the_clock_in_tehran() -> None:
    assert jalali.moment(LUNCH, "fa") == "دوشنبه ۲ آذر ۱۴۰۵ ساعت ۱۳:۲۰"
    assert jalali.moment(LUNCH, "en") == "Monday 23 November 2026, 13:20"


def test_a_moment_late_in_the_evening_falls_on_the_day_in_tehran() -> None:
    assert jalali.day(LATE, "fa") == "سه‌شنبه ۳ آذر ۱۴۰۵"
    assert jalali.moment(LATE, "en") == "Tuesday 24 November 2026, 00:00"


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        jalali.moment(datetime(2026, 11, 23, 9, 50), "fa")


def test_pages_carry_the_iso_time_for_machines() -> None:
    assert page("{{ d|day }}", "fa", d=date(2026, 11, 23)) == '<time datetime="2026-11-23">دوشنبه ۲ آذر ۱۴۰۵</time>'
    assert page("{{ d|day }}", "en", d=LATE) == '<time datetime="2026-11-24">Tuesday 24 November 2026</time>'
    expected = '<time datetime="2026-11-23T13:20:00+03:30">Monday 23 November 2026, 13:20</time>'
    assert page("{{ d|moment }}", "en", d=LUNCH.replace(microsecond=123456)) == expected


def test_what_is_not_known_yet_is_left_blank() -> None:
    assert page("[{{ d|day }}{{ d|moment }}{{ d|toman }}{{ d|rial }}{{ d|digits }}]", "fa", d=None) == "[]"


@pytest.mark.parametrize(
    ("rials", "persian", "english"),
    [
        (120_000, "۱۲٬۰۰۰ تومان", "12,000 Toman"),
        (0, "۰ تومان", "0 Toman"),
        (10, "۱ تومان", "1 Toman"),
        (12_345_678_900, "۱٬۲۳۴٬۵۶۷٬۸۹۰ تومان", "1,234,567,890 Toman"),
        (120_005, "۱۲۰٬۰۰۵ ریال", "120,005 Rial"),  # a tenth would not be whole
        (-120_000, "\u200e−۱۲٬۰۰۰ تومان", "−12,000 Toman"),
        (-15, "\u200e−۱۵ ریال", "−15 Rial"),
    ],
)
def test_money_for_people_is_toman_where_it_is_whole(rials: int, persian: str, english: str) -> None:
    assert page("{{ n|toman }}", "fa", n=rials) == persian
    assert page("{{ n|toman }}", "en", n=rials) == english


def test_money_on_documents_is_rial() -> None:
    assert page("{{ n|rial }}", "fa", n=120_000) == "۱۲۰٬۰۰۰ ریال"
    assert page("{{ n|rial }}", "en", n=120_000) == "120,000 Rial"


def test_money_too_large_for_a_float_keeps_every_rial() -> None:
    assert jalali.rial(2**53 + 1, "en") == "9,007,199,254,740,993 Rial"


@pytest.mark.parametrize("wrong", [12_000.0, "12000", True])
def test_money_that_is_no_whole_number_is_refused(wrong: object) -> None:
    with pytest.raises(TypeError):
        jalali.rial(wrong, "fa")


def test_latin_islands_keep_their_direction_and_their_digits() -> None:
    assert page("{{ code|ltr }}", "fa", code="INV-1405") == '<bdi dir="ltr">INV-1405</bdi>'
    assert page("{{ code|ltr }}", "fa", code="<i>") == '<bdi dir="ltr">&lt;i&gt;</bdi>'
