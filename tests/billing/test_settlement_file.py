"""The bank's daily file as it is read: what may stand in it, what is refused in words, what is never kept."""

import io

import pytest
from django.db import connection
from django.utils import translation

from billing.flows import BadStatement
from billing.models import Statement, StatementLine
from tests.billing.base import fresh
from tests.billing.statements import ADD, AT, DAY, HEAD, csv, day_of, imported, pay, row_of, shown

pytestmark = pytest.mark.django_db


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
