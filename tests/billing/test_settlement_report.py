"""The command that compares a bank's daily file with our books, for people and for machines."""

import io
import json
import subprocess
import sys
from datetime import date

import pytest
from django.core.management import CommandError, call_command

from billing.models import Statement
from tests.billing.base import fresh, settlement_file
from tests.billing.statements import AT, DAY, HEAD, csv, day_of, pay, row_of, shown

pytestmark = pytest.mark.django_db


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
