"""`manage.py settlement_report`: set the bank's daily file beside our books."""

import json
import sys
from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from billing import flows
from billing.models import Payment, StatementLine
from billing.settlement_file import MAX_BYTES


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("a day is written YYYY-MM-DD") from None


class Command(BaseCommand):
    help = (
        "Imports a gateway's settlement file and says where it and our books differ. Importing the same file again "
        "only compares it again. The file is CSV in UTF-8, up to 5 MB and 100,000 lines, with the columns "
        "receipt,order_number,amount,transaction_time,kind in any order; amounts are Rials, times are Tehran's, and "
        "the kind is sale, reversal or refund. Other columns are not read. Exits with 1 when something does not fit, "
        "with 2 when the file is bad; then nothing of it is imported."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--gateway", required=True, choices=settings.GATEWAYS, help="whose file it is")
        parser.add_argument("--day", required=True, type=day, help="the file's day in Tehran, as 2026-11-26")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")
        parser.add_argument("file", metavar="FILE", help="where the file is; - reads standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        # The report is English, as all that commands print; so are the file's errors beside it.
        with translation.override("en"):
            try:
                content = read(options["file"])
                statement = flows.import_statement(gateway=options["gateway"], day=options["day"], content=content)
            except OSError as error:
                raise CommandError(f"{options['file']}: {error.strerror}", returncode=2) from None
            except flows.BadStatement as bad:
                raise CommandError("nothing was imported\n" + "\n".join(bad.errors), returncode=2) from None
            found = flows.compare_again(statement=statement)
        if options["json"]:
            self.stdout.write(json.dumps(as_json(found)))
        else:
            self.stdout.write("\n".join(in_words(found)))
        if not found.fits:
            sys.exit(1)


def read(name: str) -> bytes:
    """One byte more than a file may have is enough to refuse it."""
    if name == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with Path(name).open("rb") as file:
        return file.read(MAX_BYTES + 1)


def as_json(found: flows.Report) -> dict[str, Any]:
    """Amounts are Rials."""
    return {
        "gateway": found.statement.gateway,
        "day": found.statement.day.isoformat(),
        "lines": len(found.lines),
        "counts": found.statement.counts,
        "theirs": found.theirs,
        "ours": found.ours,
        "difference": found.difference,
        "differences": [line_as_json(line) for line in found.differences],
        "ours_alone": [payment_as_json(payment) for payment in found.ours_alone],
        "fits": found.fits,
    }


def line_as_json(line: StatementLine) -> dict[str, Any]:
    return {
        "line": line.number,
        "finding": str(line.finding),
        "kind": line.kind,
        "receipt": line.receipt,
        "order_number": line.order_number,
        "amount": line.amount,
        "payment": str(line.payment) if line.payment else None,
        "status": line.payment.status if line.payment else None,
    }


def payment_as_json(payment: Payment) -> dict[str, Any]:
    return {"receipt": payment.receipt, "order_number": str(payment.order_number), "amount": payment.taken}


def in_words(found: flows.Report) -> list[str]:
    words = [f"{found.statement}: {len(found.lines)} lines, compared with our books"]
    words += [f"  {finding}: {count}" for finding, count in sorted(found.statement.counts.items())]
    words.append(f"theirs {found.theirs}, ours {found.ours}, difference {found.difference} Rial")
    if found.other_days:
        words.append(f"lines of another day by the bank's clock: {found.other_days}")
    for line in found.differences:
        stands = f"; payment {line.payment} is {line.payment.status}" if line.payment else ""
        words.append(f"line {line.number}: {line.finding}: {line.kind} {line.receipt}, {line.amount} Rial{stands}")
    for payment in found.ours_alone:
        words.append(f"ours alone: payment {payment}, receipt {payment.receipt}, {payment.taken} Rial")
    words.append("everything fits" if found.fits else "not everything fits")
    return words
