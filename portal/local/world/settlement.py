"""The settlement file, as a company's panel would export it: what was sold, and what of it went back."""

import csv
import io
from collections.abc import Collection, Iterator

from . import ledger as book
from .ledger import Ledger, Payment
from .store import is_day, tehran
from .wire import Reply, Request, Route

HEAD = ("receipt", "order_number", "amount", "transaction_time", "kind")


class Settlement:
    def __init__(self, ledger: Ledger, gateways: Collection[str]) -> None:
        self._ledger, self._gateways = ledger, gateways

    def routes(self) -> list[Route]:
        return [Route("GET", "/settlement/*", self._file)]

    def _file(self, request: Request) -> Reply:
        """/settlement/<gateway>.csv, all of it or ?day=YYYY-MM-DD of Tehran."""
        name = request.path.removeprefix("/settlement/")
        gateway, day = name.removesuffix(".csv"), request.query.get("day", "")
        if gateway not in self._gateways or name == gateway:
            return Reply.of({"error": "no such file"}, 404)
        if day and not is_day(day):
            return Reply.of({"error": "day is YYYY-MM-DD"}, 400)
        rows = [
            (payment.receipt, payment.order, amount, tehran(at), kind)
            for payment in self._ledger.all()
            if payment.gateway == gateway
            for at, amount, kind in _moves(payment)
            if tehran(at).startswith(day)
        ]
        text = io.StringIO()
        csv.writer(text).writerows([HEAD, *sorted(rows, key=lambda row: row[3])])
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Reply(200, text.getvalue().encode(), "text/csv; charset=utf-8", headers)


def _moves(payment: Payment) -> Iterator[tuple[float, int, str]]:
    """None for what was never verified: that money was the customer's all the time."""
    times = payment.times
    if book.VERIFIED not in times and book.SETTLED not in times:
        return
    yield times[book.PAID], payment.amount, "sale"
    if book.REVERSED in times:
        yield times[book.REVERSED], payment.amount, "reversal"
    refunded = int(getattr(payment, "refunded", 0))
    if refunded:
        yield times.get("refunded", max(times.values())), refunded, "refund"
