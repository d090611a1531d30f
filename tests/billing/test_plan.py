"""Ordering: choose, read the summary, place the order."""

import pytest

from billing.models import Invoice, Order, Service
from notifications.models import Event
from tests.billing.base import complete_profile

TOKEN = "t" * 20


@pytest.fixture
def url(plan, backup) -> str:
    return plan.get_absolute_url()


def order(client, url, **fields):
    return client.post(url, {"option": "", "form_token": TOKEN, **fields})


def test_the_choice_is_shown_with_its_options(alice_client, url):
    page = alice_client.get(url).content.decode()
    assert "Daily backup" in page and "Without an option" in page and "error-summary" not in page


def test_the_summary_adds_the_tax_of_the_day(alice_client, url):
    response = alice_client.get(url, {"option": "backup"})
    assert response.context["total"] == 1_200_005 + 120_001
    page = response.content.decode()
    assert "1,320,006 Rial" in page and "Place the order" in page and "10%" in page


def test_placing_it_makes_order_service_and_invoice(alice_client, alice, url):
    response = order(alice_client, url, option="backup")
    invoice = Invoice.objects.get()
    assert response.headers["Location"] == f"/invoices/{invoice.number}/"
    assert (invoice.subtotal, invoice.tax_hundredths, invoice.tax, invoice.total) == (
        1_200_005,
        1000,
        120_001,
        1_320_006,
    )
    assert [line.amount for line in invoice.lines.all()] == [1_000_005, 200_000]
    assert invoice.number.startswith("1405-") and invoice.number.endswith("000001")
    assert Order.objects.get().status == Order.Status.PLACED
    service = Service.objects.get()
    assert (service.status, service.name) == (Service.Status.PENDING, "Starter hosting + Daily backup")
    event = Event.objects.get(message="invoice_issued")
    assert event.customer == alice and event.about == f"invoice:{invoice.number}"
    assert event.context["total"] == 1_320_006 and event.context["url"].endswith(f"/invoices/{invoice.number}/")


def test_later_prices_do_not_change_an_order(alice_client, url, plan):
    order(alice_client, url)
    plan.monthly_price = 9
    plan.save()
    assert Order.objects.get().plan_price == Invoice.objects.get().subtotal == 1_000_005


def test_it_needs_sign_in(anyone, url):
    assert "/accounts/login/" in anyone.get(url).headers["Location"]
    assert "/accounts/login/" in order(anyone, url).headers["Location"]
    assert not Order.objects.exists()


def test_an_incomplete_profile_comes_first_and_the_choice_is_kept(bob_client, url):
    response = order(bob_client, url, option="backup")
    assert response.headers["Location"] == "/profile/edit/?next=%2Fcatalogue%2Fstarter%2F%3Foption%3Dbackup"
    assert not Order.objects.exists()
    assert "not complete" in bob_client.get(url, {"option": ""}).content.decode()


@pytest.mark.parametrize("fields", [{"option": "nothing-like-it"}, {"form_token": ""}, {"form_token": "<script>"}])
def test_bad_input_orders_nothing(alice_client, url, fields):
    response = order(alice_client, url, **fields)
    assert response.status_code == 422 and b"error-summary" in response.content
    assert not Order.objects.exists()


def test_an_unknown_option_in_the_address_asks_again(alice_client, url):
    page = alice_client.get(url, {"option": "nothing-like-it"}).content.decode()
    assert "This plan has no such option" in page


def test_a_plan_off_sale_is_not_found(alice_client, url, plan):
    plan.is_on_sale = False
    plan.save()
    assert alice_client.get(url).status_code == 404
    assert order(alice_client, url).status_code == 404


def test_ordering_twice_is_once(alice_client, url):
    first, second = order(alice_client, url), order(alice_client, url)
    assert first.headers["Location"] == second.headers["Location"]
    assert Order.objects.count() == Invoice.objects.count() == Service.objects.count() == Event.objects.count() == 1


def test_the_token_is_each_customers_own(alice_client, bob_client, bob, url):
    complete_profile(bob, "0084575948")
    order(alice_client, url)
    order(bob_client, url)
    assert Order.objects.count() == 2
