"""The settlement file that a company's panel would give."""

import csv
from datetime import datetime, timedelta, timezone

import pytest

from portal.local.world.ledger import Ledger, Payment
from portal.local.world.settlement import Settlement
from portal.local.world.store import Store
from portal.local.world.wire import Request
from tests.world.wire import Answer, Wire
from tests.world_client import World

TEHRAN = timezone(timedelta(hours=3, minutes=30))


def read(answer: Answer) -> list[dict[str, str]]:
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    return list(csv.DictReader(answer.text.splitlines()))


def sep_receipt(outer: World, wire: Wire, order: str) -> str:
    return outer.pay("sep", wire.sep_token(order).json["token"]).fields["RefNum"]


def test_it_says_what_was_sold_and_what_of_it_went_back(outer: World, wire: Wire) -> None:
    kept, returned, lost = (sep_receipt(outer, wire, order) for order in ("1", "2", "3"))
    wire.sep_token("4")
    wire.sep("Verify", kept)
    wire.sep("Verify", returned)
    outer.clock(60)
    wire.sep("Reverse", returned)
    outer.clock(45 * 60)
    assert [row["state"] for row in outer.ledger()] == ["verified", "reversed", "reversed", "started"]
    rows = read(wire.get("/settlement/sep.csv"))
    assert list(rows[0]) == ["receipt", "order_number", "amount", "transaction_time", "kind"]
    told = [(row["receipt"], row["order_number"], row["amount"], row["kind"]) for row in rows]
    assert told == [
        (kept, "1", "12000", "sale"), (returned, "2", "12000", "sale"), (returned, "2", "12000", "reversal"),
    ]  # fmt: skip
    assert lost not in str(rows)
    moments = [datetime.strptime(row["transaction_time"], "%Y-%m-%d %H:%M:%S") for row in rows]
    assert moments[2] - moments[1] >= timedelta(seconds=60)


def test_a_settled_payment_is_sold(outer: World, wire: Wire) -> None:
    track = wire.zibal_request().json["trackId"]
    outer.pay("zibal", str(track))
    assert read(wire.get("/settlement/zibal.csv")) == []
    wire.zibal("verify", trackId=track)
    assert [row["kind"] for row in read(wire.get("/settlement/zibal.csv"))] == ["sale"]
    assert read(wire.get("/settlement/sep.csv")) == []


def test_a_refund_has_a_line_of_its_own() -> None:
    store = Store(None)
    ledger = Ledger(store)
    payment = ledger.open(Payment("sep", "1", "2015", "5", 12_000, "http://127.0.0.1/"))
    ledger.take_money(payment, "receipt")
    ledger.move(payment, "verified")
    ledger.move(payment, "settled")
    payment.refunded = 2_000
    ledger.save(payment)
    handle = Settlement(ledger, ["sep"]).routes()[0].handle
    text = handle(Request("GET", "/settlement/sep.csv")).body.decode()
    rows = [(row["amount"], row["kind"]) for row in csv.DictReader(text.splitlines())]
    assert rows == [("12000", "sale"), ("2000", "refund")]
    store.close()


def test_a_day_is_a_day_of_tehran(outer: World, wire: Wire) -> None:
    wire.sep("Verify", sep_receipt(outer, wire, "1"))
    day = read(wire.get("/settlement/sep.csv"))[0]["transaction_time"][:10]
    now = datetime.now(TEHRAN)
    assert day in {str(now.date()), str((now - timedelta(minutes=1)).date())}
    assert len(read(wire.get(f"/settlement/sep.csv?day={day}"))) == 1
    assert read(wire.get("/settlement/sep.csv?day=2020-01-01")) == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("sep.csv?day=1405/09/01", 400), ("sep.csv?day=20261122", 400), ("sep", 404), ("sep.txt", 404),
        ("kavenegar.csv", 404), (".csv", 404),
    ],
)  # fmt: skip
def test_an_unknown_file_or_day_is_refused(wire: Wire, path: str, status: int) -> None:
    assert wire.get(f"/settlement/{path}").status == status


def test_the_desk_leads_to_the_file_of_each_gateway(wire: Wire) -> None:
    assert "/settlement/" not in wire.get("/").text
    wire.sep_token()
    page = wire.get("/").text
    for gateway in ("sep", "sadad", "pasargad", "zarinpal", "zibal"):
        assert f'href="/settlement/{gateway}.csv"' in page
