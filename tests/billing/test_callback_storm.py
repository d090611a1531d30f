"""The same callback many times at once, on a real database: one receipt, one ledger row, one activation."""

import threading

import pytest
from django.db import connection

from billing.flows import CannotPay, look_again, place_order, start_payment
from billing.models import Invoice, LedgerEntry, Payment, PaymentEvent, Service
from notifications.models import Event
from tests.billing.base import bring, due_now, fresh, start

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(count: int, work) -> list:
    """Run it in that many threads that start together; what each returned or raised."""
    found, ready = [], threading.Barrier(count)

    def run(number: int) -> None:
        ready.wait()
        try:
            found.append(work(number))
        except Exception as error:
            found.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.parametrize("gateway", ["sep", "zarinpal"])
def test_twenty_callbacks_at_once_are_one(bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    answers = at_once(20, lambda _: bring(callback))
    assert {answer.status_code for answer in answers} == {303}
    payment = fresh(payment)
    assert (payment.status, payment.tries) == (Payment.Status.PAID, 1)
    assert fresh(invoice).status == Invoice.Status.PAID
    assert LedgerEntry.objects.count() == 1
    assert PaymentEvent.objects.filter(now="paid").count() == 1
    assert Service.objects.get().events.filter(now="active").count() == 1
    assert Event.objects.filter(message="payment_received").count() == 1


def test_two_attempts_paid_at_once_collect_one(bank, invoice):
    payments = [start(invoice, gateway) for gateway in ("sep", "zarinpal")]
    callbacks = [bank.pay(payment.gateway, payment.token) for payment in payments]
    at_once(10, lambda number: bring(callbacks[number % 2]))
    for payment in payments:
        if fresh(payment).is_unanswered:
            look_again(payment=due_now(payment))
    assert LedgerEntry.objects.count() == 1
    assert sorted(fresh(payment).status for payment in payments) == ["not_wanted", "paid"]
    assert sorted(row["state"] for row in bank.ledger()) == ["paid", "verified"]


def test_one_receipt_brought_to_two_orders_at_once_pays_one(bank, invoice, alice, plan):
    other = place_order(customer=alice, plan=plan, option=None, form_token="o" * 20).invoices.get()
    first, second = start(invoice, "sep"), start(other, "sep")
    paid = bank.pay("sep", first.token)
    unpaid = bank.pay("sep", second.token, "cancel")
    crossed = {"State": "OK", "Status": "2", "RefNum": paid.fields["RefNum"]}
    at_once(10, lambda number: bring(paid) if number % 2 else bring(unpaid, **crossed))
    assert LedgerEntry.objects.count() == 1
    assert sorted(Payment.objects.values_list("status", flat=True)) == ["paid", "suspect"]


def test_the_pay_button_pressed_ten_times_at_once_opens_one_attempt(bank, invoice):
    found = at_once(10, lambda _: start_payment(invoice=invoice, gateway="sep", form_token="p" * 20))
    assert not [each for each in found if isinstance(each, CannotPay)]
    assert len(bank.ledger()) == Payment.objects.count() == 1
    assert Payment.objects.get().status == Payment.Status.SENT
