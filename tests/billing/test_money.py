"""Rials and months."""

from datetime import date

import pytest

from billing.models import TaxRate
from billing.models.catalogue import percent
from billing.money import jalali_year, month_later, tax_of


@pytest.mark.parametrize(
    ("subtotal", "hundredths", "tax"),
    [(1_000_000, 1000, 100_000), (1_000_005, 1000, 100_001), (1_000_004, 1000, 100_000), (5, 1000, 1), (1, 950, 0)],
)
def test_half_a_rial_of_tax_is_rounded_up(subtotal, hundredths, tax):
    assert tax_of(subtotal, hundredths) == tax


def test_large_amounts_lose_no_rial():
    assert tax_of(10**15 + 5, 1000) == 10**14 + 1


@pytest.mark.parametrize(
    ("day", "later"),
    [
        (date(2026, 11, 23), date(2026, 12, 23)),  # 2 Azar → 2 Dey
        (date(2026, 9, 22), date(2026, 10, 22)),  # 31 Shahrivar → 30 Mehr
        (date(2027, 3, 20), date(2027, 4, 18)),  # 29 Esfand → 29 Farvardin
        (date(2026, 4, 20), date(2026, 5, 21)),  # 31 Farvardin → 31 Ordibehesht
    ],
)
def test_a_month_is_a_jalali_month(day, later):
    assert month_later(day) == later


def test_the_year_of_an_invoice_is_jalali():
    assert jalali_year(date(2026, 3, 20)) == 1404
    assert jalali_year(date(2026, 3, 21)) == 1405


def test_tax_follows_the_day(db):
    assert TaxRate.objects.on(date(2024, 3, 19)).hundredths == 900
    assert TaxRate.objects.on(date(2024, 3, 20)).hundredths == 1000
    assert TaxRate.objects.on(date(2026, 11, 23)).hundredths == 1000


def test_percent_is_written_short():
    assert [percent(each) for each in (1000, 950, 925, 0)] == ["10", "9.5", "9.25", "0"]
