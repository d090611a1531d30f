"""The invoice: whose it is, what stands on it, and its number."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from billing.flows import CannotCancel, cancel_order, place_order
from billing.models import ForbiddenMove, Invoice, LedgerEntry, Order, Service
from tests.billing.base import arrive, complete_profile, fresh


def test_the_document_shows_lines_tax_and_ways_to_pay(alice_client, invoice):
    page = alice_client.get(invoice.get_absolute_url()).content.decode()
    assert invoice.number in page and "1,100,006 Rial" in page and "100,001 Rial" in page and "10%" in page
    assert 'value="sep"' in page and 'value="zarinpal"' in page


def test_it_speaks_persian(alice_client, invoice):
    page = alice_client.get(invoice.get_absolute_url(), headers={"accept-language": "fa"}).content.decode()
    assert "۱٬۱۰۰٬۰۰۶" in page and "میزبانی" in page


def test_it_needs_sign_in(anyone, invoice):
    for url in ("/invoices/", invoice.get_absolute_url()):
        assert "/accounts/login/" in anyone.get(url).headers["Location"]


def test_bob_cannot_open_alices_invoice(bob_client, invoice):
    assert bob_client.get(invoice.get_absolute_url()).status_code == 404
    assert invoice.number not in bob_client.get("/invoices/").content.decode()


@pytest.mark.parametrize("number", ["1405-999999", "0", "../etc", "۱۴۰۵-۰۰۰۰۰۱"])
def test_a_number_that_nobody_has_is_not_found(alice_client, number):
    assert alice_client.get(f"/invoices/{number}/").status_code == 404


def test_the_list_has_the_invoice(alice_client, invoice):
    assert invoice.number in alice_client.get("/invoices/").content.decode()


def test_an_overdue_invoice_says_so(alice_client, invoice):
    Invoice.objects.update(due_on="2026-01-01")
    assert "Overdue" in alice_client.get(invoice.get_absolute_url()).content.decode()


def test_the_database_refuses_a_wrong_sum(invoice):
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.update(total=1)


def test_a_paid_invoice_is_never_void(bank, invoice):
    arrive(invoice, invoice.total)
    with transaction.atomic():
        assert invoice.settle(due=invoice.due)
    with pytest.raises(ForbiddenMove), transaction.atomic():
        invoice.void()


def test_less_than_the_total_does_not_settle(bank, invoice):
    arrive(invoice, invoice.total - 1)
    assert not invoice.settle(due=invoice.due) and invoice.is_payable


def test_the_ledger_is_only_added_to(bank, invoice):
    entry = arrive(invoice, 5)
    for change in (lambda: LedgerEntry.objects.update(amount=6), entry.delete):
        with pytest.raises(Exception, match="only ever added"), transaction.atomic():
            change()
    assert fresh(entry).amount == 5


def test_cancelling_an_unpaid_order_voids_its_invoice(alice_client, invoice):
    url = f"/orders/{invoice.order.number}/cancel/"
    assert "Cancel" in alice_client.get("/orders/").content.decode()
    for _twice in range(2):
        assert alice_client.post(url).status_code == 302
    invoice.refresh_from_db()
    assert invoice.status == Invoice.Status.VOID
    assert Order.objects.get().status == Order.Status.CANCELLED
    assert Service.objects.get().status == Service.Status.ENDED
    assert [e.now for e in invoice.events.all()] == ["void"]


def test_bob_cannot_cancel_alices_order(bob_client, invoice):
    assert bob_client.post(f"/orders/{invoice.order.number}/cancel/").status_code == 404
    assert Order.objects.get().status == Order.Status.PLACED


@pytest.mark.django_db(transaction=True)
def test_numbers_have_no_gap_when_many_are_issued_at_once(alice, plan):
    """Twenty at once, every fourth of which fails after its number was taken."""
    results, start = [], threading.Barrier(20)

    def issue(number: int) -> None:
        start.wait()
        try:
            with transaction.atomic():
                place_order(customer=alice, plan=plan, option=None, form_token=f"{number:020d}")
                if number % 4 == 0:
                    raise RuntimeError
            results.append(number)
        except RuntimeError:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=issue, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = sorted(Invoice.objects.values_list("number", flat=True))
    assert len(results) == len(numbers) == 15
    assert [int(number[5:]) for number in numbers] == list(range(1, 16))


@pytest.mark.django_db(transaction=True)
def test_one_form_sent_ten_times_at_once_is_one_order(alice, plan):
    start = threading.Barrier(10)

    def send() -> None:
        start.wait()
        try:
            place_order(customer=alice, plan=plan, option=None, form_token="x" * 20)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Order.objects.count() == Invoice.objects.count() == Service.objects.count() == 1


def test_a_second_customer_continues_the_same_series(invoice, bob, plan):
    place_order(customer=complete_profile(bob, "0084575948"), plan=plan, option=None, form_token="b" * 20)
    first, second = sorted(Invoice.objects.values_list("number", flat=True))
    assert int(second[5:]) == int(first[5:]) + 1


def test_a_paid_order_stays(invoice):
    with transaction.atomic():
        invoice.order.pay()
    with pytest.raises(CannotCancel):
        cancel_order(order=invoice.order)
