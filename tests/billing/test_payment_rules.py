"""What a payment row may hold and do."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from billing import privacy
from billing.flows import forget_tokens
from billing.models import ForbiddenMove, Invoice, Payment, PaymentEvent, Service
from tests.billing.base import bring, fresh, start


def test_a_status_goes_only_where_the_table_says(bank, invoice):
    payment = start(invoice, "sep")
    for status in Payment.Status:
        Payment.objects.update(status=status, receipt="x", bank_time="2026-11-23T00:00:00Z", taken=payment.amount)
        for other in set(Payment.Status) - Payment.NEXT[status] - {status}:
            with pytest.raises(ForbiddenMove), transaction.atomic():
                fresh(payment)._move_to(other)
        assert fresh(payment)._move_to(status) is False


def test_readme_draws_the_table_as_it_is():
    drawn = re.findall(r"^    (\w+) --> (\w+)$", Path("README.md").read_text(), re.MULTILINE)
    table = [(status.value, to.value) for status, following in Payment.NEXT.items() for to in following]
    assert sorted(drawn) == sorted(table)


def test_the_groups_of_statuses_hold_together():
    """Whoever adds a status decides whether the bank is asked about it, and whether its token may go."""
    settled_by_people = {Payment.Status.SUSPECT, Payment.Status.UNAPPLIED}
    looked_after = {Payment.Status.NEW, Payment.Status.SENT} | Payment.WAITING
    assert Payment.OVER | settled_by_people | looked_after == set(Payment.Status)
    assert not Payment.OVER & looked_after and not Payment.OVER & settled_by_people


def test_the_columns_are_the_published_ones(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = 'billing_payment'")
        assert {name for (name,) in cursor.fetchall()} == set(privacy.PAYMENT_COLUMNS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 0},
        {"amount": -5},
        {"status": "paid"},
        {"status": "unapplied"},
        {"order_number": 10_000_000_000},
        {"token": "same"},
        {"receipt": "same"},
    ],
)
def test_the_database_refuses_a_row_that_cannot_be_true(bank, invoice, wrong):
    start(invoice, "sep"), start(invoice, "sep")
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.update(**wrong)


def test_receipts_differ_by_case(bank, invoice):
    first, second = start(invoice, "sep"), start(invoice, "sep")
    Payment.objects.filter(pk=first.pk).update(receipt="aBc")
    Payment.objects.filter(pk=second.pk).update(receipt="ABC")
    assert Payment.objects.filter(receipt="aBc").count() == 1


def test_events_are_only_added(bank, invoice):
    start(invoice, "sep")
    for change in (lambda: PaymentEvent.objects.update(now="paid"), PaymentEvent.objects.all().delete):
        with pytest.raises(Exception, match="only ever added"), transaction.atomic():
            change()


def test_tokens_are_forgotten_a_day_after_the_end(bank, invoice, monkeypatch):
    paid, waiting = start(invoice, "sep"), start(invoice, "zarinpal")
    bring(bank.pay("sep", paid.token))
    assert forget_tokens() == 0
    monkeypatch.setattr("billing.models.payments.TOKEN_KEPT", timedelta(0))
    assert forget_tokens() == 1
    assert fresh(paid).token is None and fresh(paid).receipt and fresh(waiting).token
    assert forget_tokens() == 0


def test_a_lease_is_one_callers(bank, invoice):
    payment = start(invoice, "sep")
    name = payment.take_lease()
    assert name and payment.take_lease() is None
    held = fresh(payment)
    held.end_lease("somebody else's")
    held.save()
    assert payment.take_lease() is None
    held.end_lease(name)
    held.save()
    assert payment.take_lease()


def test_the_export_has_the_receipt_and_no_token(bank, alice, invoice):
    payment = start(invoice, "sep")
    bring(bank.pay("sep", payment.token))
    found = privacy.export(alice)
    assert found["payments"][0]["receipt"] == fresh(payment).receipt
    assert found["invoices"][0]["total"] == invoice.total and payment.token not in str(found)


def test_erasing_ends_services_and_keeps_documents(bank, alice, invoice):
    privacy.erase(alice)
    privacy.erase(alice)
    assert fresh(invoice).status == Invoice.Status.VOID
    assert Service.objects.get().status == Service.Status.ENDED
