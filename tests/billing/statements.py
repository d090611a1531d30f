"""Files as a bank would give them, and their import: what tests of the bank's daily file do again and again."""

from datetime import date, datetime

from django.utils import timezone

from accounts.models import Customer
from billing.flows import compare, import_statement
from billing.models import Invoice, Payment, Statement
from tests.billing.base import bring, fresh, start

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
