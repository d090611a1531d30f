"""Paying in parts, from the credit, and what happens to money whose invoice is due no more."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from billing.flows import CannotPay, cancel_order, cancel_paid_order, place_order, start_payment, use_credit
from billing.models import GatewayAccount, Invoice, LedgerEntry, Payment, Service
from billing.models.gateway_accounts import SMALLEST_REST
from tests.billing.base import arrive, assert_paid_once, books, bring, complete_profile, fresh, start, told

PART = 400_000


def pay(bank, invoice, gateway="sep", amount=None, do="pay"):
    payment = start_payment(
        invoice=invoice, gateway=gateway, form_token=f"{Payment.objects.count():020d}", amount=amount
    )
    assert payment.status == Payment.Status.SENT, payment.result_code
    bring(bank.pay(gateway, payment.token, do))
    return fresh(payment)


def credit_of(customer) -> int:
    return LedgerEntry.objects.visible_to(customer).credit().total()


def with_credit(alice, invoice, plan, credit: int) -> Invoice:
    """Another invoice of the same sum, for a customer who has that credit."""
    arrive(invoice, credit)
    LedgerEntry.move(alice.pk, LedgerEntry.Kind.FREED, credit, source=invoice, target=None)
    return place_order(customer=alice, plan=plan, option=None, form_token="n" * 20).invoices.get()


@pytest.fixture
def large(alice, plan):
    """An invoice above what some gateways take at a time: 2,750,000,000 Rials with tax."""
    plan.monthly_price = 2_500_000_000
    plan.save()
    return place_order(customer=alice, plan=plan, option=None, form_token="l" * 20).invoices.get()


# --- in parts ---------------------------------------------------------------------------------------------------------


def test_two_parts_pay_an_invoice_and_start_the_service_once(bank, alice_client, invoice):
    first = pay(bank, invoice, amount=PART)
    assert first.status == Payment.Status.PAID and fresh(invoice).due == invoice.total - PART
    assert Service.objects.get().status == Service.Status.PENDING
    page = alice_client.get(invoice.get_absolute_url()).content.decode()
    assert f'<progress id="paid-so-far" max="{invoice.total}" value="{PART}">' in page
    result = alice_client.get(f"/pay/{first.public_id}/result/").content.decode()
    assert "The rest of the invoice is still due" in result and "Pay the rest" in result
    second = pay(bank, invoice, "zibal")
    assert second.amount == invoice.total - PART
    assert fresh(invoice).status == Invoice.Status.PAID and fresh(invoice).due == 0
    assert Service.objects.get().status == Service.Status.ACTIVE
    assert told() == ["payment_received", "payment_received", "service_activated"]


def test_an_amount_above_a_gateways_limit_is_paid_in_several(bank, alice_client, large):
    page = alice_client.get(large.get_absolute_url()).content.decode()
    assert "at most 100,000,000 Toman at a time" in page and 'value="zarinpal"' in page
    paid = []
    while fresh(large).is_payable:
        paid.append(pay(bank, large, "zarinpal").amount)
    assert paid == [1_000_000_000, 1_000_000_000, 750_000_000] and sum(paid) == large.total


def test_no_rest_is_left_that_no_gateway_takes(bank, large):
    GatewayAccount.objects.create(slug="sep", max_rial=large.total - 5)
    first = pay(bank, large, "sep")
    assert first.amount == large.total - SMALLEST_REST
    assert pay(bank, large, "sep").amount == SMALLEST_REST
    assert fresh(large).status == Invoice.Status.PAID


@pytest.mark.parametrize("part", ["0", "999", "-5", "abc", "1.5.x", "110000", "109500", "9" * 13])
def test_a_part_that_cannot_be_paid_is_refused_in_words(bank, alice_client, invoice, part):
    """1,100,006 Rials are due: not less than 1,000 Toman, not more than all, and no rest below 1,000 Toman."""
    answer = alice_client.post(
        f"{invoice.get_absolute_url()}pay/", {"gateway": "sep", "part": part, "form_token": "p" * 20}, follow=True
    )
    page = answer.content.decode()
    assert "Please type the amount in digits" in page or "This amount cannot be paid by this gateway" in page
    assert not Payment.objects.exists()


@pytest.mark.parametrize("part", ["40000", "۴۰٬۰۰۰", "40,000", "٤٠٠٠٠"])
def test_a_part_is_typed_in_toman_with_any_digits(bank, alice_client, invoice, part):
    alice_client.post(f"{invoice.get_absolute_url()}pay/", {"gateway": "sep", "part": part})
    assert Payment.objects.get().amount == PART


def test_the_button_for_all_of_it_pays_all_whatever_was_typed(bank, alice_client, invoice):
    alice_client.post(f"{invoice.get_absolute_url()}pay/", {"gateway": "sep", "part": "40000", "whole": "1"})
    assert Payment.objects.get().amount == invoice.total


def test_the_whole_of_an_invoice_after_a_part_of_it_is_not_collected(bank, invoice):
    """Both were started before either was paid; what is due no longer covers the second."""
    whole = start(invoice, "sep")
    callback = bank.pay("sep", whole.token)
    pay(bank, invoice, "zarinpal", PART)
    bring(callback)
    assert fresh(whole).status == Payment.Status.NOT_WANTED and books(bank, "sep") == {whole.token: "paid"}
    assert fresh(invoice).received == PART


# --- the credit -------------------------------------------------------------------------------------------------------


def test_a_part_of_an_order_that_is_cancelled_becomes_credit(bank, alice, invoice):
    pay(bank, invoice, amount=PART)
    cancel_order(order=invoice.order)
    assert fresh(invoice).status == Invoice.Status.VOID and invoice.received == 0
    assert credit_of(alice) == PART and LedgerEntry.objects.total() == PART


def test_staff_take_a_paid_order_back_and_all_of_it_becomes_credit(bank, alice, invoice):
    pay(bank, invoice)
    cancel_paid_order(order=invoice.order)
    assert fresh(invoice).status == Invoice.Status.TAKEN_BACK
    assert Service.objects.get().status == Service.Status.ENDED
    assert credit_of(alice) == invoice.total


def test_the_credit_pays_what_it_covers_and_the_bank_the_rest(bank, alice, alice_client, invoice, plan):
    pay(bank, invoice, amount=PART)
    cancel_order(order=invoice.order)
    next_one = place_order(customer=alice, plan=plan, option=None, form_token="n" * 20).invoices.get()
    url = next_one.get_absolute_url()
    assert "You have a credit of 40,000 Toman" in alice_client.get(url).content.decode()
    page = alice_client.post(f"{url}credit/", follow=True).content.decode()
    assert "40,000 Toman of your credit was used" in page and "You have a credit" not in page
    assert fresh(next_one).due == next_one.total - PART and credit_of(alice) == 0
    pay(bank, next_one)
    assert fresh(next_one).status == Invoice.Status.PAID


def test_enough_credit_pays_all_and_starts_the_service(bank, alice, invoice, plan):
    pay(bank, invoice)
    cancel_paid_order(order=invoice.order)
    order = place_order(customer=alice, plan=plan, option=None, form_token="n" * 20)
    assert use_credit(invoice=order.invoices.get()) == invoice.total
    assert use_credit(invoice=order.invoices.get()) == 0, "twice is once"
    assert order.invoices.get().status == Invoice.Status.PAID
    assert fresh(order.service).status == Service.Status.ACTIVE and credit_of(alice) == 0


@pytest.mark.parametrize("short", [1, SMALLEST_REST - 1])
def test_the_credit_leaves_no_rest_that_no_gateway_takes(bank, alice, alice_client, invoice, plan, short):
    credit = invoice.total - short
    next_one = with_credit(alice, invoice, plan, credit)
    page = alice_client.post(f"{next_one.get_absolute_url()}credit/", follow=True).content.decode()
    assert "of your credit was used" in page
    assert fresh(next_one).due == SMALLEST_REST and credit_of(alice) == credit - (next_one.total - SMALLEST_REST)
    assert pay(bank, next_one).amount == SMALLEST_REST
    assert fresh(next_one).status == Invoice.Status.PAID


def test_credit_that_leaves_enough_is_used_to_the_last_rial(bank, alice, invoice, plan):
    credit = invoice.total - SMALLEST_REST
    next_one = with_credit(alice, invoice, plan, credit)
    assert use_credit(invoice=next_one) == credit and credit_of(alice) == 0


def test_credit_that_can_pay_no_part_is_kept_and_the_customer_told_why(bank, alice, alice_client, invoice, plan):
    """The least that a gateway takes is due, and less lies there: with any of it used, nobody takes the rest."""
    next_one = with_credit(alice, invoice, plan, invoice.total - 7_000)
    url = f"{next_one.get_absolute_url()}credit/"
    alice_client.post(url, follow=True)
    before = LedgerEntry.objects.count()
    page = alice_client.post(url, follow=True).content.decode()
    assert "Your credit was not used" in page and "of your credit was used" not in page
    assert (fresh(next_one).due, credit_of(alice)) == (SMALLEST_REST, 3_000) and LedgerEntry.objects.count() == before
    with pytest.raises(CannotPay):
        use_credit(invoice=next_one)


def test_no_credit_is_used_while_a_payment_is_checked(bank, alice, alice_client, invoice):
    payment = start(invoice, "zarinpal")
    bank.next("zarinpal", "verify", "500")
    bring(bank.pay("zarinpal", payment.token))
    with pytest.raises(CannotPay):
        use_credit(invoice=invoice)


def test_bob_cannot_use_alices_credit_or_his_on_her_invoice(bank, bob_client, invoice):
    assert bob_client.post(f"{invoice.get_absolute_url()}credit/").status_code == 404


def test_the_credit_is_used_by_post_alone(alice_client, invoice):
    assert alice_client.get(f"{invoice.get_absolute_url()}credit/").status_code == 405


@pytest.mark.django_db(transaction=True)
def test_the_same_credit_spent_on_two_invoices_at_once_is_spent_once(bank, alice, invoice, plan):
    pay(bank, invoice)
    cancel_paid_order(order=invoice.order)
    orders = [place_order(customer=alice, plan=plan, option=None, form_token=f"{n:020d}") for n in range(4)]
    begin, used = threading.Barrier(4), []

    def spend(order) -> None:
        begin.wait()
        try:
            used.append(use_credit(invoice=order.invoices.get()))
        finally:
            connection.close()

    threads = [threading.Thread(target=spend, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(used) == [0, 0, 0, invoice.total] and credit_of(alice) == 0


# --- what the database itself refuses ---------------------------------------------------------------------------------


def test_the_database_lets_no_credit_fall_below_zero(bank, alice, invoice):
    entry = arrive(invoice, PART)
    LedgerEntry.move(alice.pk, LedgerEntry.Kind.FREED, PART, source=invoice, target=None)
    for kind, payment in ((LedgerEntry.Kind.REFUND, entry.payment), (LedgerEntry.Kind.USED, None)):
        with pytest.raises(IntegrityError), transaction.atomic():
            LedgerEntry.objects.create(customer=alice, payment=payment, kind=kind, amount=-PART - 1)
    assert credit_of(alice) == PART


def test_the_database_lets_no_invoice_give_more_than_it_has(bank, alice, invoice):
    arrive(invoice, PART)
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerEntry.move(alice.pk, LedgerEntry.Kind.FREED, PART + 1, source=invoice, target=None)


def test_the_database_lets_a_payment_arrive_once(bank, alice, invoice):
    entry = arrive(invoice, PART)
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerEntry.objects.create(customer=alice, payment=entry.payment, kind="credit", amount=PART)


def test_one_customers_credit_is_nobody_elses(bank, alice, bob, invoice, plan):
    pay(bank, invoice)
    cancel_paid_order(order=invoice.order)
    theirs = place_order(
        customer=complete_profile(bob, "0084575948"), plan=plan, option=None, form_token="b" * 20
    ).invoices.get()
    assert use_credit(invoice=theirs) == 0 and credit_of(alice) == invoice.total


def test_an_invoice_of_the_usual_kind_is_still_paid_at_once(bank, invoice):
    assert_paid_once(pay(bank, invoice))
