"""The bank's daily file beside our books: what fits, and what does not."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.flows import BadStatement, compare, compare_again, place_order, reconcile
from billing.models import Payment, Refund, Statement, StatementLine
from tests.billing.base import EVERY, REVERSIBLE, bring, due_now, fresh, minutes_ago, settlement_file, start
from tests.billing.statements import AT, DAY, csv, day_of, findings, imported, pay, row_of, shown

pytestmark = pytest.mark.django_db


@EVERY
def test_the_banks_own_file_fits_our_books(bank, invoice, gateway):
    payment = pay(bank, invoice, gateway)
    statement = imported(settlement_file(bank, gateway), gateway, day_of(payment))
    report, line = compare(statement=statement), statement.lines.get()
    assert report.fits and statement.fits and statement.counts == {"matches": 1}
    assert (report.theirs, report.ours, report.difference) == (invoice.total, invoice.total, 0)
    assert (line.payment, line.receipt, line.finding) == (payment, payment.receipt, "matches")
    assert line.order_number in ("", str(payment.order_number)) and not report.ours_alone


@pytest.mark.parametrize("gateway", REVERSIBLE)
def test_what_both_gave_back_fits(bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.next(gateway, "verify", "500")
    bring(callback)
    invoice.void()
    due_now(payment)
    assert reconcile() == {"reversed": 1}
    statement = imported(settlement_file(bank, gateway), gateway, day_of(fresh(payment)))
    report = compare(statement=statement)
    assert [(line.kind, str(line.finding)) for line in report.lines] == [
        ("sale", "matches"),
        ("reversal", "reversed_here"),
    ]
    assert report.fits and report.theirs == report.ours == 0


@EVERY
def test_a_day_without_a_sale_fits_on_every_day(bank, invoice, gateway):
    """Files without a line look all the same."""
    first, second = (imported(settlement_file(bank, gateway), gateway, DAY + timedelta(days=n)) for n in (0, 1))
    assert first != second and compare(statement=first).fits and first.rows == 0


def test_the_same_file_twice_is_once(bank, invoice, carol, dave):
    payment = pay(bank, invoice)
    content = settlement_file(bank, "sep")
    first, second = (imported(content, day=day_of(payment), by=by) for by in (carol, dave))
    assert first == second and second.imported_by == carol
    assert Statement.objects.count() == StatementLine.objects.count() == 1


def test_the_same_file_for_another_day_is_refused():
    content = csv(f"r1,1,5,{AT},sale", "r2,2,5,2026-11-27 00:00:00,sale")
    imported(content, day=DAY)
    with pytest.raises(BadStatement, match="another day already"):
        imported(content, day=DAY + timedelta(days=1))
    assert Statement.objects.count() == 1


def test_a_file_of_another_day_is_refused():
    with pytest.raises(BadStatement, match="No line of this file is of this day"):
        imported(csv(f"r1,1,5,{AT},sale"), day=DAY + timedelta(days=1))


def test_a_line_around_midnight_is_taken_and_counted():
    statement = imported(csv(f"r1,1,5,{AT},sale", "r2,2,5,2026-11-27 00:00:00,sale"), day=DAY)
    assert compare(statement=statement).other_days == 1


def test_a_sale_that_nobody_here_knows(bank, invoice):
    statement = imported(csv(f"r1,1,5000,{AT},sale", f"r2,,7000,{AT},reversal"), day=DAY)
    report = compare(statement=statement)
    assert findings(statement) == ["unknown", "unknown"] and not report.fits and not statement.fits
    assert (report.theirs, report.ours, report.difference) == (-2000, 0, -2000)


def test_an_order_number_that_is_none_is_nobodys():
    assert findings(imported(csv(f"r1,{'9' * 40},5,{AT},sale", f"r2,A-7,5,{AT},sale"), day=DAY)) == ["unknown"] * 2


def test_amounts_that_differ(bank, invoice):
    payment = fresh(pay(bank, invoice))
    statement = imported(csv(row_of(payment, amount=payment.amount - 7)), day=day_of(payment))
    report = compare(statement=statement)
    assert findings(statement) == ["other_amount"]
    assert (report.theirs, report.ours, report.difference) == (payment.amount - 7, payment.amount, -7)


@pytest.mark.parametrize("gateway", ["sep", "zarinpal"])
def test_an_attempt_whose_money_was_not_received(bank, invoice, gateway):
    """Without a receipt of ours the order number names it."""
    payment = start(invoice, gateway)
    minutes_ago(payment, 60)
    reconcile()
    assert fresh(payment).status in (Payment.Status.EXPIRED, Payment.Status.FAILED)
    statement = imported(csv(row_of(payment, receipt="700000000001")), gateway)
    line = compare(statement=statement).lines[0]
    assert (str(line.finding), line.payment, line.ours) == ("not_booked", payment, 0)


def test_money_that_waits_for_the_banks_answer_is_not_booked(unanswered, bank):
    statement = imported(settlement_file(bank, "sep"), day=timezone.localdate())
    assert findings(statement) == ["not_booked"] and compare(statement=statement).difference == unanswered.amount


def test_a_reversal_that_we_do_not_know(bank, invoice):
    payment = fresh(pay(bank, invoice))
    content = csv(row_of(payment), row_of(payment, kind="reversal"))
    statement = imported(content, day=day_of(payment))
    report = compare(statement=statement)
    assert findings(statement) == ["matches", "reversal_not_known"]
    assert (report.theirs, report.ours) == (0, payment.amount)


def test_a_sale_that_only_we_gave_back(bank, invoice):
    payment = start(invoice, "sep")
    callback = bank.pay("sep", payment.token)
    bank.next("sep", "verify", {"amount": invoice.total - 1})
    bring(callback)
    assert fresh(payment).status == Payment.Status.REVERSED
    content = csv(row_of(payment, amount=payment.taken))
    statement = imported(content, day=day_of(payment))
    assert findings(statement) == ["not_booked"]
    # The next day's file brings the reversal, and the first one fits as well.
    tomorrow = day_of(payment) + timedelta(days=1)
    imported(csv(row_of(payment, amount=payment.taken, kind="reversal", time=f"{tomorrow} 00:10")), day=tomorrow)
    assert findings(statement) == ["matches"]


def test_a_refund_by_people_fits_once(bank, invoice, carol, dave):
    payment = fresh(pay(bank, invoice))
    Refund.objects.create(
        payment=payment, amount=300, why="asked_for", status="done", asked_by=carol, decided_by=dave, bank_reference="1"
    )
    rows = [row_of(payment)] + [row_of(payment, amount=300, kind="refund")] * 2
    statement = imported(csv(*rows), day=day_of(payment))
    assert findings(statement) == ["matches", "reversed_here", "reversal_not_known"]


def test_a_receipt_of_one_order_under_the_number_of_another(bank, invoice, alice, plan):
    payment = fresh(pay(bank, invoice))
    other = start(place_order(customer=alice, plan=plan, option=None, form_token="o" * 20).invoices.get(), "sep")
    swapped = row_of(payment, order_number=other.order_number)
    again = row_of(payment, receipt="another-receipt")
    statement = imported(csv(swapped, again), day=day_of(payment))
    report = compare(statement=statement)
    assert findings(statement) == ["crossed", "crossed"] and [line.ours for line in report.lines] == [payment.amount, 0]


def test_another_gateways_payment_is_not_ours(bank, invoice):
    payment = fresh(pay(bank, invoice))
    assert findings(imported(csv(row_of(payment)), "zarinpal", day_of(payment))) == ["unknown"]


def test_what_the_file_lacks_is_ours_alone(bank, invoice):
    payment = fresh(pay(bank, invoice))
    day = day_of(payment)
    statement = imported(csv(), day=day)
    report = compare(statement=statement)
    assert report.ours_alone == [payment] and not report.fits
    assert (report.theirs, report.ours, report.difference) == (0, payment.amount, -payment.amount)
    assert not compare(statement=imported(csv(), day=day - timedelta(days=1))).ours_alone
    assert not compare(statement=imported(csv(), "zarinpal", day)).ours_alone
    # A file that came later knows it.
    imported(settlement_file(bank, "sep"), day=day)
    assert compare(statement=statement).fits


def test_a_day_begins_at_midnight_of_tehran(bank, invoice):
    payment = fresh(pay(bank, invoice))
    statement = imported(csv(), day=DAY)
    start_of_day, end = statement.span
    assert (start_of_day.isoformat(), end - start_of_day) == ("2026-11-26T00:00:00+03:30", timedelta(days=1))
    for moment, is_alone in ((start_of_day, 1), (end - timedelta(seconds=1), 1), (end, 0)):
        Payment.objects.filter(pk=payment.pk).update(bank_time=moment)
        assert len(compare(statement=statement).ours_alone) == is_alone


def test_the_report_is_of_now_and_the_list_of_when_it_was_compared(bank, invoice):
    """A late answer of the bank makes the line fit."""
    payment = start(invoice, "zarinpal")
    bank.next("zarinpal", "verify", "500")
    bring(bank.pay("zarinpal", payment.token))
    receipt = bank.ledger()[0]["receipt"]
    statement = imported(csv(row_of(payment, receipt=receipt)), "zarinpal")
    assert statement.counts == {"not_booked": 1}
    due_now(payment)
    assert reconcile() == {"paid": 1}
    assert compare(statement=statement).lines[0].is_fit and fresh(statement).counts == {"not_booked": 1}
    compare_again(statement=statement)
    assert fresh(statement).counts == {"matches": 1} and statement.lines.get().finding == "matches"


def test_the_number_of_queries_does_not_grow_with_the_lines(bank, invoice):
    payment = fresh(pay(bank, invoice))
    taken = []
    for count in (2, 200):
        rows = [f"r{count}-{n},{n},5,{shown(payment.bank_time)},sale" for n in range(count)]
        content = csv(*rows, row_of(payment), row_of(payment, amount=5, kind="refund"))
        with CaptureQueriesContext(
            connection,
        ) as importing:
            statement = imported(content, day=day_of(payment))
        with CaptureQueriesContext(connection) as comparing:
            assert len(compare(statement=statement).lines) == count + 2
        taken.append((len(importing), len(comparing)))
    assert taken[0] == taken[1] and max(taken[0]) < 12
