"""Leaving for the bank: who may, when not, and what the leaving page says to the browser."""

import pytest

from billing.flows import place_order, start_payment
from billing.models import LedgerEntry, Payment
from tests.billing.base import bring, complete_profile, fresh, start


def press(client, invoice, gateway="sep", token="p" * 20):
    return client.post(f"{invoice.get_absolute_url()}pay/", {"gateway": gateway, "form_token": token})


def test_it_needs_sign_in(bank, anyone, invoice):
    payment = start(invoice, "sep")
    assert "/accounts/login/" in press(anyone, invoice).headers["Location"]
    for url in (f"/pay/{payment.public_id}/", f"/pay/{payment.public_id}/result/"):
        assert "/accounts/login/" in anyone.get(url).headers["Location"]


def test_bob_cannot_pay_or_see_alices_payment(bank, bob_client, invoice):
    assert press(bob_client, invoice).status_code == 404
    payment = start(invoice, "sep")
    for url in (f"/pay/{payment.public_id}/", f"/pay/{payment.public_id}/result/"):
        assert bob_client.get(url).status_code == 404


def test_starting_is_a_post(alice_client, invoice):
    assert alice_client.get(f"{invoice.get_absolute_url()}pay/").status_code == 405


@pytest.mark.parametrize("gateway", ["", "idpay", "../sep", "x" * 40])
def test_an_unknown_gateway_starts_nothing(bank, alice_client, invoice, gateway):
    assert press(alice_client, invoice, gateway).headers["Location"] == invoice.get_absolute_url()
    assert not Payment.objects.exists()


def test_starting_twice_is_once(bank, alice_client, invoice):
    first, second = press(alice_client, invoice), press(alice_client, invoice)
    assert first.headers["Location"] == second.headers["Location"]
    assert Payment.objects.count() == len(bank.ledger()) == 1


def test_a_paid_invoice_is_not_paid_again(bank, alice_client, invoice):
    payment = start(invoice, "sep")
    bring(bank.pay("sep", payment.token))
    answer = press(alice_client, invoice)
    assert answer.headers["Location"] == invoice.get_absolute_url()
    page = alice_client.get(invoice.get_absolute_url()).content.decode()
    assert "This invoice is already paid" in page and 'name="gateway"' not in page
    assert Payment.objects.count() == 1


def test_a_void_invoice_is_not_paid(bank, alice_client, invoice):
    invoice.void()
    press(alice_client, invoice)
    assert "This invoice is void" in alice_client.get(invoice.get_absolute_url()).content.decode()
    assert not Payment.objects.exists()


def test_a_second_payment_waits_while_the_first_is_checked(bank, alice_client, invoice):
    payment = start(invoice, "zarinpal")
    bank.next("zarinpal", "verify", "500")
    bring(bank.pay("zarinpal", payment.token))
    press(alice_client, invoice)
    page = alice_client.get(invoice.get_absolute_url()).content.decode()
    assert "so that you do not pay twice" in page and 'name="gateway"' not in page
    assert Payment.objects.count() == 1
    cancelled = alice_client.post(f"/orders/{invoice.order.number}/cancel/", follow=True).content.decode()
    assert "is being checked" in cancelled and fresh(invoice).is_payable


def test_a_silent_gateway_is_given_up(bank, invoice, monkeypatch, alice_client):
    monkeypatch.setattr("billing.gateways.wire.TIMEOUT", (1, 0.4))
    bank.next("sep", "start", "timeout")
    press(alice_client, invoice)
    assert (Payment.objects.get().status, Payment.objects.get().result_code) == ("failed", "timeout")


def test_order_numbers_are_one_series_for_all_gateways(bank, invoice):
    numbers = [start(invoice, gateway).order_number for gateway in ("sep", "zarinpal", "sep")]
    assert numbers == list(range(numbers[0], numbers[0] + 3)) and numbers[0] >= 10_000_001


def test_looking_at_the_leaving_page_changes_nothing(bank, alice_client, invoice):
    payment = start(invoice, "sep")
    before = Payment.objects.values().get()
    for _ in range(3):
        alice_client.get(f"/pay/{payment.public_id}/")
    assert Payment.objects.values().get() == before


def test_who_comes_back_to_the_leaving_page_after_the_end_sees_the_result(bank, alice_client, invoice):
    payment = start(invoice, "sep")
    bring(bank.pay("sep", payment.token))
    answer = alice_client.get(f"/pay/{payment.public_id}/")
    assert answer.headers["Location"] == f"/pay/{payment.public_id}/result/"


def test_nobody_else_pays_even_with_the_same_form_token(bank, invoice, bob, plan):
    other = place_order(
        customer=complete_profile(bob, "0084575948"), plan=plan, option=None, form_token="b" * 20
    ).invoices.get()
    first = start_payment(invoice=invoice, gateway="sep", form_token="s" * 20)
    second = start_payment(invoice=other, gateway="sep", form_token="s" * 20)
    assert first.pk != second.pk and not LedgerEntry.objects.exists()
