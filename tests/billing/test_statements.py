"""The bank's daily file beside our books: what fits, what does not, and what its file decides."""

import io
import json
import subprocess
import sys
from datetime import date, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from accounts.models import Customer
from billing import gateways
from billing.flows import (
    BadStatement,
    CannotBook,
    book_by_statement,
    compare,
    compare_again,
    import_statement,
    place_order,
    reconcile,
)
from billing.models import Invoice, LedgerEntry, Payment, PaymentEvent, Refund, Statement, StatementLine
from tests.base import make_customer, show_second_factor
from tests.billing.base import (
    EVERY,
    REVERSIBLE,
    SLUGS,
    assert_paid_once,
    books,
    bring,
    due_now,
    fresh,
    minutes_ago,
    settlement_file,
    start,
    told,
)

pytestmark = pytest.mark.django_db
HEAD = "receipt,order_number,amount,transaction_time,kind"
DAY = date(2026, 11, 26)
AT = "2026-11-26 14:05:00"
LIST, ADD = "/admin/billing/statement/", "/admin/billing/statement/add/"


def csv(*rows: str, head: str = HEAD) -> bytes:
    return "\n".join([head, *rows, ""]).encode()


def shown(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}"


def row_of(payment: Payment, *, amount: int | None = None, kind: str = "sale", **changed: str) -> str:
    """The bank's row of a payment of ours."""
    values = {
        "receipt": payment.receipt,
        "order_number": payment.order_number,
        "amount": amount or payment.amount,
        "time": shown(payment.bank_time or timezone.now()),
        "kind": kind,
    }
    return ",".join(str(value) for value in (values | changed).values())


def pay(world, invoice: Invoice, gateway: str = "sep") -> Payment:
    payment = start(invoice, gateway)
    bring(world.pay(gateway, payment.token))
    assert fresh(payment).status == Payment.Status.PAID
    return payment


def day_of(payment: Payment) -> date:
    return timezone.localdate(payment.bank_time)


def imported(content: bytes, gateway: str = "sep", day: date | None = None, by: Customer | None = None) -> Statement:
    return import_statement(gateway=gateway, day=day or timezone.localdate(), content=content, by=by)


def findings(statement: Statement) -> list[str]:
    return [str(line.finding) for line in compare(statement=statement).lines]


@pytest.fixture
def dave(db) -> Customer:
    """Staff without every right."""
    return make_customer("dave@example.com", "+989121110004", language="en", is_staff=True)


@pytest.fixture
def with_rights(dave):
    """A client of dave's with exactly these rights."""

    def sign_in(*rights: str) -> Client:
        dave.user_permissions.set(Permission.objects.filter(content_type__app_label="billing", codename__in=rights))
        client = Client(headers={"accept-language": "en"})
        client.force_login(dave)
        show_second_factor(client, dave)
        return client

    return sign_in


@pytest.fixture
def unanswered(bank, invoice, monkeypatch) -> Payment:
    """The bank has verified the money, its answer was lost, and half an hour later it refuses to say so again."""
    monkeypatch.setattr("billing.gateways.wire.TIMEOUT", (1, 0.5))
    payment = start(invoice, "sep")
    callback = bank.pay("sep", payment.token)
    bank.next("sep", "verify", "timeout_after_commit")
    bring(callback)
    bank.clock(31 * 60)
    minutes_ago(payment, 31)
    due_now(payment)
    assert reconcile() == {"unknown": 1}
    return fresh(payment)


# --- what fits --------------------------------------------------------------------------------------------------------


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


# --- what does not fit ------------------------------------------------------------------------------------------------


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


# --- the file ---------------------------------------------------------------------------------------------------------


def test_amounts_and_times_are_read_as_people_write_them(db):
    content = csv(
        'sale,"۱۲٬۳۴۵٬۶۷۸",1405/09/05 14:05,r1,1',
        'Reversal,"1,234",۱۴۰۵/۰۹/۰۵ ۱۴:۰۵:۰۹,r2,۲',
        "refund, 77 ,2026-11-26T14:05,r3,",
        head="\ufeffKind,amount, transaction_time ,receipt,order_number",
    )
    lines = list(imported(content, day=DAY).lines.all())
    assert [(line.number, line.receipt, line.order_number, line.amount, line.kind) for line in lines] == [
        (2, "r1", "1", 12_345_678, "sale"),
        (3, "r2", "2", 1_234, "reversal"),
        (4, "r3", "", 77, "refund"),
    ]
    assert [shown(line.bank_time) for line in lines] == [AT, "2026-11-26 14:05:09", AT]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("r1,1,12.50,{at},sale", "amount"),
        ('r1,1,"12,50",{at},sale', "amount"),
        ("r1,1,0,{at},sale", "amount"),
        ("r1,1,-5,{at},sale", "amount"),
        ("r1,1,1e6,{at},sale", "amount"),
        ("r1,1,9999999999999999,{at},sale", "amount"),
        ("r1,1,,{at},sale", "amount"),
        (",1,5,{at},sale", "receipt is missing"),
        ("r\x00,1,5,{at},sale", "receipt is missing"),
        (f"{'r' * 65},1,5,{{at}},sale", "receipt is missing"),
        (f"r1,{'1' * 65},5,{{at}},sale", "order number"),
        ("r1,1,5,2026-02-30 10:00,sale", "time"),
        ("r1,1,5,1405/12/30 10:00,sale", "time"),
        ("r1,1,5,2026-11-26,sale", "time"),
        ("r1,1,5,26.11.2026 10:00,sale", "time"),
        ("r1,1,5,{at},payment", "kind"),
        ("r1,1,5,{at}", "cells"),
        ("r1,1,5,000,{at},sale", "cells"),
        ("r0,1,5,{at},sale", "line 2 already"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_imported(db, row, words):
    with translation.override("en"), pytest.raises(BadStatement) as bad:
        imported(csv(f"r0,1,5,{AT},sale", "", row.format(at=AT)), day=DAY)
    (error,) = bad.value.errors
    assert error.startswith("Line 4: ") and words in error
    assert not Statement.objects.exists() and not StatementLine.objects.exists()


def test_all_bad_rows_are_named_at_once_and_none_is_quoted(db):
    """What stands in the wrong column may be a card."""
    rows = [f'r{n},1,"6037991234567890x",{AT},sale' for n in range(3)]
    with translation.override("en"), pytest.raises(BadStatement) as bad:
        imported(csv(*rows, f"r9,1,x,{AT},y"), day=DAY)
    assert [error.split(":")[0] for error in bad.value.errors] == ["Line 2", "Line 3", "Line 4", "Line 5", "Line 5"]
    assert "603799" not in str(bad.value)


def test_a_quoted_line_end_does_not_shift_the_count(db):
    head = f"note,{HEAD}"
    with translation.override("en"), pytest.raises(BadStatement) as bad:
        imported(csv(f'"two\nlines",r1,1,5,{AT},sale', f",r2,1,x,{AT},sale", head=head), day=DAY)
    assert [error.split(":")[0] for error in bad.value.errors] == ["Line 4"]


def test_the_errors_are_in_the_readers_language_and_digits(db):
    with translation.override("fa"), pytest.raises(BadStatement) as bad:
        imported(csv(f"r1,1,x,{AT},sale"), day=DAY)
    assert "۲" in bad.value.errors[0] and "2" not in bad.value.errors[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "first line"),
        (b"\n\n", "first line"),
        (csv(head="receipt,order_number,amount,kind"), "transaction_time"),
        (csv(head=f"{HEAD},amount"), "amount"),
        (csv(head=HEAD.replace(",", ";")), "first line"),
        (csv(HEAD).decode().encode("utf-16"), "UTF-8"),
        (csv(f'r1,1,"5,{AT},sale'), "CSV"),
        (b"a" * (5 * 1024 * 1024 + 1), "5 MB"),
        (csv(*["r,1,5,x,sale"] * 100_001), "100,000"),
    ],
    ids=["empty", "blank", "column missing", "column twice", "semicolons", "utf-16", "quotes", "bytes", "rows"],
)
def test_a_file_that_is_none_is_refused(db, content, words):
    with translation.override("en"), pytest.raises(BadStatement, match=words):
        imported(content, day=DAY)
    assert not Statement.objects.exists()


def test_a_gateway_that_is_not_configured_has_no_file(db):
    with pytest.raises(BadStatement):
        imported(csv(), "paypal", DAY)


def everything_kept() -> str:
    """Each text of each table, read from the database itself."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        kept = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')  # noqa: S608
            kept += [row for (row,) in cursor.fetchall()]
    return "\n".join(kept)


def test_card_columns_are_not_read(bank, invoice, carol_client):
    payment = fresh(pay(bank, invoice))
    (card,) = (row["card"] for row in bank.ledger())
    cells = [card["number"], card["holder"], *card["traces"]]
    head = ",".join(["card_number", HEAD, *[f"card_{n}" for n in range(len(cells) - 1)]])
    content = csv(",".join([cells[0], row_of(payment), *cells[1:]]), head=head)
    given = {"gateway": "sep", "day": str(day_of(payment)), "file": io.BytesIO(content)}
    page = carol_client.post(ADD, given, follow=True).content.decode()
    assert StatementLine.objects.get().finding == "matches" and "Everything fits" in page
    kept = everything_kept()
    assert payment.receipt in kept, "what is kept must be found before cards are looked for in vain"
    assert not [trace for trace in cells if trace in kept or trace in page]


# --- booking by the file ----------------------------------------------------------------------------------------------


def test_what_the_bank_never_answered_is_booked_by_its_file_and_two_people(unanswered, bank, carol, dave):
    statement = imported(settlement_file(bank, "sep"), day=timezone.localdate(), by=carol)
    line = statement.lines.get()
    assert compare(statement=statement).lines[0].is_bookable
    with pytest.raises(CannotBook, match="colleague"):
        book_by_statement(line=line, by=carol)
    assert fresh(unanswered).status == Payment.Status.UNKNOWN and not LedgerEntry.objects.exists()
    assert book_by_statement(line=line, by=dave)
    assert_paid_once(unanswered)
    event = PaymentEvent.objects.filter(payment=unanswered).last()
    assert (event.was, event.now, event.code) == ("unknown", "paid", "bank-file")
    line = fresh(line)
    assert (line.booked_by, line.finding, unanswered.bank_time) == (dave, "matches", line.bank_time)
    assert fresh(statement).counts == {"matches": 1} and compare(statement=statement).fits
    assert book_by_statement(line=line, by=dave) is False
    assert_paid_once(unanswered)
    assert reconcile() == {}


@pytest.fixture
def unanswered_by_mellat(bank, invoice, monkeypatch) -> Payment:
    """Verified at the bank, which transfers nothing before it is told to; its answer was lost for good."""
    monkeypatch.setattr("billing.gateways.wire.TIMEOUT", (1, 0.5))
    payment = start(invoice, "mellat")
    callback = bank.pay("mellat", payment.token)
    bank.next("mellat", "verify", "timeout_after_commit", "500")
    bring(callback)
    minutes_ago(payment, 25)
    due_now(payment)
    assert reconcile() == {"unknown": 1} and books(bank, "mellat") == {payment.token: "verified"}
    return fresh(payment)


def test_a_bank_that_transfers_by_a_second_call_is_told_so_at_once(unanswered_by_mellat, bank, carol, dave):
    payment = unanswered_by_mellat
    statement = imported(settlement_file(bank, "mellat"), "mellat", by=carol)
    assert book_by_statement(line=statement.lines.get(), by=dave)
    assert_paid_once(payment)
    assert books(bank, "mellat") == {payment.token: "settled"}
    steps = PaymentEvent.objects.filter(payment=payment).values_list("was", "now", "code")
    assert list(steps)[-2:] == [("unknown", "unsettled", "bank-file"), ("unsettled", "paid", "0")]
    assert fresh(statement).counts == {"matches": 1} and reconcile() == {}


def test_a_bank_that_has_transferred_it_already_says_so(unanswered_by_mellat, bank, carol, dave):
    statement = imported(settlement_file(bank, "mellat"), "mellat", by=carol)
    assert gateways.gateway("mellat").settle(unanswered_by_mellat.attempt).code == "0"
    assert book_by_statement(line=statement.lines.get(), by=dave)
    assert_paid_once(unanswered_by_mellat)
    assert unanswered_by_mellat.result_code == "45"


def test_a_bank_that_does_not_answer_to_it_is_told_again_by_the_sweep(unanswered_by_mellat, bank, carol, dave):
    payment = unanswered_by_mellat
    statement = imported(settlement_file(bank, "mellat"), "mellat", by=carol)
    bank.next("mellat", "settle", "500")
    assert book_by_statement(line=statement.lines.get(), by=dave)
    assert fresh(payment).status == Payment.Status.UNSETTLED and fresh(payment.invoice).status == Invoice.Status.PAID
    due_now(payment)
    assert reconcile() == {"paid": 1} and books(bank, "mellat") == {payment.token: "settled"}
    assert_paid_once(payment)


def test_money_that_its_invoice_needs_no_more_is_given_back_at_once(unanswered, bank, carol, dave, invoice):
    fresh(invoice).void()
    statement = imported(settlement_file(bank, "sep"), day=timezone.localdate(), by=carol)
    assert book_by_statement(line=statement.lines.get(), by=dave)
    assert fresh(unanswered).status == Payment.Status.REVERSED
    assert books(bank, "sep") == {unanswered.token: "reversed"} and not LedgerEntry.objects.exists()
    assert told() == ["payment_given_back"]
    imported(settlement_file(bank, "sep"), day=timezone.localdate(), by=carol)
    assert compare(statement=statement).fits, "the next file has what went back"


def test_money_that_its_invoice_needs_no_more_goes_to_the_inbox(unanswered, bank, carol, dave, invoice):
    fresh(invoice).void()
    content = settlement_file(bank, "sep")
    bank.clock(10 * 3600)
    Payment.objects.filter(pk=unanswered.pk).update(created_at=timezone.now() - timedelta(days=1))
    yesterday = timezone.now() - timedelta(days=1)
    text = content.decode().splitlines()[1].split(",")
    text[3] = shown(yesterday)
    statement = imported(csv(",".join(text)), day=timezone.localdate(yesterday), by=carol)
    assert book_by_statement(line=statement.lines.get(), by=dave)
    assert fresh(unanswered).status == Payment.Status.UNAPPLIED and not LedgerEntry.objects.exists()
    assert compare(statement=statement).lines[0].finding == "not_booked"


def refused(line: StatementLine, by: Customer, words: str) -> None:
    with translation.override("en"), pytest.raises(CannotBook, match=words):
        book_by_statement(line=line, by=by)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"amount": 5}, "amount"),
        ({"order_number": "77"}, "different payments"),
        ({"receipt": "another"}, "No payment of ours has this receipt"),
        ({"kind": "refund"}, "Only a sale"),
    ],
)
def test_nothing_else_is_booked(unanswered, dave, changed, words):
    statement = imported(csv(row_of(unanswered, **changed)))
    assert not compare(statement=statement).lines[0].is_bookable
    refused(statement.lines.get(), dave, words)
    assert fresh(unanswered).status == Payment.Status.UNKNOWN and not LedgerEntry.objects.exists()


def test_what_went_back_by_any_file_is_not_booked(unanswered, dave):
    statement = imported(csv(row_of(unanswered)))
    imported(csv(row_of(unanswered, kind="reversal")))
    assert not compare(statement=statement).lines[0].is_bookable
    refused(statement.lines.get(), dave, "went back")


@pytest.mark.parametrize("status", sorted(set(Payment.Status) - Payment.RECEIVED - {Payment.Status.UNKNOWN}))
def test_only_what_waits_for_an_answer_for_good_is_booked(unanswered, dave, status):
    Payment.objects.filter(pk=unanswered.pk).update(status=status, taken=unanswered.amount, bank_time=timezone.now())
    statement = imported(csv(row_of(unanswered)))
    assert not compare(statement=statement).lines[0].is_bookable
    refused(statement.lines.get(), dave, "never answered about")
    assert not LedgerEntry.objects.exists()


def test_a_gateway_taken_out_of_the_settings_books_nothing(unanswered, dave, settings):
    statement = imported(csv(row_of(unanswered)))
    settings.GATEWAY = {}
    refused(statement.lines.get(), dave, "not configured")


# --- the command ------------------------------------------------------------------------------------------------------


def run(content: bytes, tmp_path, *, day: date = DAY, gateway: str = "sep", **options) -> tuple[int, str]:
    """Its exit code and what it printed."""
    (tmp_path / "day.csv").write_bytes(content)
    out = io.StringIO()
    words = ["settlement_report", "--gateway", gateway, "--day", str(day), str(tmp_path / "day.csv")]
    try:
        call_command(*words, stdout=out, **options)
    except CommandError as error:
        return error.returncode, str(error)
    except SystemExit as end:
        return int(end.code), out.getvalue()
    return 0, out.getvalue()


def test_the_command_says_that_all_fits(bank, invoice, tmp_path):
    payment = fresh(pay(bank, invoice))
    for _ in range(2):
        code, said = run(settlement_file(bank, "sep"), tmp_path, day=day_of(payment))
        assert code == 0 and "everything fits" in said and "matches: 1" in said
    assert Statement.objects.get().imported_by is None


def test_the_command_fails_loudly_when_something_does_not_fit(bank, invoice, tmp_path):
    payment = fresh(pay(bank, invoice))
    code, said = run(csv(f"r1,1,5,{shown(payment.bank_time)},sale"), tmp_path, day=day_of(payment))
    assert code == 1 and "line 2: unknown: sale r1, 5 Rial" in said and f"ours alone: payment {payment}" in said
    code, said = run(csv(row_of(payment, amount=5)), tmp_path, day=day_of(payment), json=True)
    found = json.loads(said)
    assert code == 1 and found["counts"] == {"other_amount": 1} and found["ours_alone"] == []
    assert (found["theirs"], found["ours"], found["difference"]) == (5, payment.amount, 5 - payment.amount)
    assert found["differences"][0] | {"receipt": ""} == {
        "line": 2,
        "finding": "other_amount",
        "kind": "sale",
        "receipt": "",
        "order_number": str(payment.order_number),
        "amount": 5,
        "payment": str(payment.order_number),
        "status": "paid",
    }


def test_a_bad_file_is_two(db, tmp_path):
    code, said = run(csv(f"r1,1,x,{AT},sale"), tmp_path)
    assert code == 2 and "nothing was imported" in said and "Line 2: the amount" in said
    assert not Statement.objects.exists()


def test_a_file_that_is_not_there_is_two(db, tmp_path):
    with pytest.raises(CommandError) as error:
        call_command("settlement_report", "--gateway", "sep", "--day", "2026-11-26", str(tmp_path / "none.csv"))
    assert error.value.returncode == 2


def test_the_command_reads_standard_input(db, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(csv())))
    out = io.StringIO()
    call_command("settlement_report", "-", "--gateway", "sep", "--day", "2026-11-26", stdout=out)
    assert "0 lines" in out.getvalue() and "everything fits" in out.getvalue()


def test_help_says_what_the_file_is(capsys):
    done = subprocess.run(
        [sys.executable, "manage.py", "settlement_report", "--help"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0 and HEAD in done.stdout and "Exits with 1" in " ".join(done.stdout.split())


# --- the staff screens ------------------------------------------------------------------------------------------------


def report_page(statement: Statement) -> str:
    return f"{LIST}{statement.pk}/change/"


def given(content: bytes, day: date = DAY, **changed: str) -> dict[str, object]:
    file = io.BytesIO(content)
    file.name = "day.csv"
    return {"gateway": "sep", "day": str(day), "file": file} | changed


def test_an_empty_list_says_what_to_do(carol_client):
    page = carol_client.get(LIST).content.decode()
    assert "No settlement file was imported yet" in page and f'href="{ADD}"' in page


def test_staff_import_a_file_and_read_that_all_fits(bank, invoice, carol_client, carol):
    payment = fresh(pay(bank, invoice))
    jalali = {"day": timezone.localdate(payment.bank_time).isoformat()}
    answer = carol_client.post(ADD, given(settlement_file(bank, "sep"), **jalali), follow=True)
    page = answer.content.decode()
    statement = Statement.objects.get()
    assert answer.redirect_chain == [(report_page(statement), 302)] and statement.imported_by == carol
    assert "Everything fits" in page and f"/admin/billing/payment/{payment.pk}/change/" in page
    assert "Saman Electronic Payment" in page
    again = carol_client.post(ADD, given(settlement_file(bank, "sep"), **jalali), follow=True)
    assert again.redirect_chain == answer.redirect_chain and Statement.objects.count() == 1
    listed = carol_client.get(LIST).content.decode()
    assert "Matches" in listed and str(carol) in listed
    persian = carol_client.get(report_page(statement), headers={"accept-language": "fa"}).content.decode()
    assert 'dir="rtl"' in persian


def test_the_report_names_what_does_not_fit_first(bank, invoice, carol_client):
    payment = fresh(pay(bank, invoice))
    rows = [row_of(payment), f"nobodys-receipt,1,5,{shown(payment.bank_time)},sale"]
    page = carol_client.get(report_page(imported(csv(*rows), day=day_of(payment)))).content.decode()
    assert page.index("nobodys-receipt") < page.index(f"/payment/{payment.pk}/change/")
    assert "No payment of ours" in page and "The bank has more than we" in page
    page = carol_client.get(report_page(imported(csv(), day=day_of(payment)))).content.decode()
    assert "The file has no line" in page and "Ours alone" not in page, "another file knows the payment"


def test_the_report_lists_what_is_ours_alone(bank, invoice, carol_client):
    payment = fresh(pay(bank, invoice))
    page = carol_client.get(report_page(imported(csv(), day=day_of(payment)))).content.decode()
    assert "Ours alone" in page and f"/payment/{payment.pk}/change/" in page and "We have more than the bank" in page


def test_a_day_without_anything_says_so(carol_client):
    page = carol_client.get(report_page(imported(csv(), day=DAY))).content.decode()
    assert "The file has no line" in page


def test_reading_the_report_writes_nothing(unanswered, carol_client):
    statement = imported(csv(row_of(unanswered)))
    with CaptureQueriesContext(connection) as queries:
        carol_client.get(report_page(statement))
    assert not [q["sql"] for q in queries if "billing_statement" in q["sql"] and not q["sql"].startswith("SELECT")]


def test_a_bad_file_is_explained_on_the_page(carol_client):
    page = carol_client.post(ADD, given(csv(*[f"r{n},1,x,{AT},sale" for n in range(60)]))).content.decode()
    assert "Nothing was imported" in page and "Line 2: the amount" in page and "and 10 more" in page
    assert not Statement.objects.exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"gateway": "paypal"}, "paypal"),
        ({"day": "yesterday"}, "Please write a date"),
        ({"file": ""}, "required"),
    ],
)
def test_what_is_missing_is_asked_for(carol_client, changed, words):
    answer = carol_client.post(ADD, given(csv()) | changed)
    assert answer.status_code == 200 and words in answer.content.decode() and not Statement.objects.exists()


def test_a_file_that_is_too_large_is_refused_unread(carol_client):
    for size in (5 * 1024 * 1024 + 1, 12 * 1024 * 1024):
        assert "larger than 5 MB" in carol_client.post(ADD, given(b"a" * size)).content.decode()


def test_dave_books_what_carol_imported(unanswered, bank, carol_client, carol, with_rights):
    statement = imported(settlement_file(bank, "sep"), by=carol)
    line = statement.lines.get()
    book = f"{LIST}{statement.pk}/book/{line.pk}/"
    own = carol_client.get(report_page(statement)).content.decode()
    assert book not in own and "a colleague has to book by it" in own
    assert "a colleague" in carol_client.post(book, follow=True).content.decode()
    assert fresh(unanswered).status == Payment.Status.UNKNOWN
    dave_client = with_rights("view_statement", "change_statement")
    assert book in dave_client.get(report_page(statement)).content.decode()
    assert dave_client.get(book).status_code == 405
    page = dave_client.post(book, follow=True).content.decode()
    assert "Booked by the bank" in page and "Booked by this file" in page and "Everything fits" in page
    assert_paid_once(unanswered)
    assert "received already" in dave_client.post(book, follow=True).content.decode()
    assert_paid_once(unanswered)


def test_staff_compare_again(unanswered, carol_client, carol):
    statement = imported(csv(row_of(unanswered)))
    act = {"action": "compare_again", "_selected_action": [statement.pk]}
    assert "1 file was compared again" in carol_client.post(LIST, act, follow=True).content.decode()


def test_each_right_opens_its_own_door(unanswered, with_rights):
    statement = imported(csv(row_of(unanswered)))
    report, book = report_page(statement), f"{LIST}{statement.pk}/book/{statement.lines.get().pk}/"
    nothing = with_rights()
    assert [nothing.get(page).status_code for page in (LIST, report, ADD)] == [403] * 3
    assert nothing.post(book).status_code == nothing.post(ADD, given(csv())).status_code == 403
    reader = with_rights("view_statement")
    assert [reader.get(page).status_code for page in (LIST, report, ADD)] == [200, 200, 403]
    assert (
        book not in reader.get(report).content.decode()
        and "/admin/billing/payment/" not in reader.get(report).content.decode()
    )
    assert reader.post(book).status_code == reader.post(ADD, given(csv())).status_code == 403
    importer = with_rights("add_statement")
    assert importer.get(ADD).status_code == 200 and importer.post(book).status_code == 403
    assert importer.post(ADD, given(csv())).headers["Location"] == "/admin/"
    booker = with_rights("change_statement")
    assert booker.get(ADD).status_code == 403 and booker.post(book).status_code == 302
    assert fresh(unanswered).status == Payment.Status.PAID


def test_nobody_edits_or_deletes_what_a_file_says(carol_client):
    statement = imported(csv(), day=DAY)
    assert carol_client.post(report_page(statement), {"day": "2026-01-01"}).status_code == 403
    assert carol_client.post(f"{LIST}{statement.pk}/delete/", {"post": "yes"}).status_code == 403
    assert carol_client.get(report_page(Statement(pk=statement.pk + 1))).status_code == 404


def test_alice_and_strangers_cannot_enter(alice_client, anyone):
    for client in (alice_client, anyone):
        assert client.get(LIST).status_code == client.post(ADD, given(csv())).status_code == 302
    assert not Statement.objects.exists()


def test_every_gateway_is_offered(bank, carol_client):
    page = carol_client.get(ADD).content.decode()
    assert all(f'value="{slug}"' in page for slug in SLUGS)
