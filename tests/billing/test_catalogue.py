"""The catalogue, for everybody."""

import pytest

from billing.models import Plan


def test_anyone_sees_what_is_on_sale(anyone, plan, backup):
    Plan.objects.create(
        slug="old", name_fa="کهنه", name_en="Old plan", about_fa="-", about_en="-", monthly_price=1, is_on_sale=False
    )
    page = anyone.get("/catalogue/").content.decode()
    assert "Starter hosting" in page and "Daily backup" in page and "1,000,005 Rial" in page
    assert "Old plan" not in page


def test_it_speaks_persian(anyone, plan):
    page = anyone.get("/catalogue/", headers={"accept-language": "fa"}).content.decode()
    assert "میزبانی" in page and "Starter hosting" not in page


def test_an_empty_catalogue_says_so(anyone):
    assert "Nothing is on sale now" in anyone.get("/catalogue/").content.decode()


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_can_only_be_read(anyone, method):
    assert getattr(anyone, method)("/catalogue/").status_code == 405


def test_it_costs_few_statements(anyone, plan, backup, django_assert_max_num_queries):
    with django_assert_max_num_queries(3):
        anyone.get("/catalogue/")
