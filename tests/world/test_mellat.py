"""Behpardakht Mellat's gateway as the outside world speaks it (guide v1.29)."""

import urllib.error
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.world.wire import CALLBACK, MELLAT, SOAP, Answer, Wire, elements
from tests.world_client import World

SERVICE = "/mellat/pgwchannel/services/pgw"
PAGE = "/mellat/pgwchannel/startpay.mellat"
HOME = "http://127.0.0.1:8000/"
FIELDS = {
    "RefId", "ResCode", "SaleOrderId", "SaleReferenceId", "CardHolderPan", "CardHolderInfo",
    "CreditCardSaleResponseDetail", "FinalAmount",
}  # fmt: skip


@dataclass(frozen=True)
class Sale:
    """A payment that was made, and the calls about it."""

    wire: Wire
    order: str
    reference: str

    def answer(self, name: str, timeout: float = 10, **more: object) -> Answer:
        asked: dict[str, object] = {"orderId": self.order, "saleOrderId": self.order}
        asked |= {"saleReferenceId": self.reference}
        return self.wire.mellat(name, timeout, **asked | more)

    def code(self, name: str, **more: object) -> str:
        return said(self.answer(name, **more))


def said(answer: Answer) -> str:
    """The text of the one unqualified `return`."""
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    (found,) = answer.soap
    assert (answer.status, found.tag) == (200, "return")
    return found.text or ""


def make_sale(outer: World, wire: Wire, order: str = "10000019", amount: int = 12_000) -> Sale:
    ref_id = said(wire.mellat_pay(order, amount)).removeprefix("0,")
    return Sale(wire, order, outer.pay("mellat", ref_id).fields["SaleReferenceId"])


@pytest.fixture
def sale(outer: World, wire: Wire) -> Sale:
    return make_sale(outer, wire)


def test_a_payment_goes_from_ref_id_to_settled(outer: World, wire: Wire) -> None:
    started = wire.mellat_pay()
    assert started.soap.tag == f"{{{MELLAT}}}bpPayRequestResponse"
    code, ref_id = said(started).split(",")
    assert (code, len(ref_id)) == ("0", 20)
    page = wire.post_form(PAGE, {"RefId": ref_id}, Referer=HOME)
    assert '<button id="pay"' in page.text
    assert "فاکتور ۱" in page.text
    callback = outer.pay("mellat", ref_id)
    assert (callback.method, callback.url) == ("POST", CALLBACK)
    assert callback.fields.keys() == FIELDS
    known = {"RefId": ref_id, "ResCode": "0", "SaleOrderId": "10000019", "FinalAmount": "12000"}
    assert callback.fields.items() >= known.items()
    sale = Sale(wire, "10000019", callback.fields["SaleReferenceId"])
    assert len(sale.reference) == 12
    assert sale.code("bpVerifyRequest") == "0"
    assert outer.ledger()[-1]["state"] == "verified"
    assert sale.code("bpSettleRequest") == "0"
    row = outer.ledger()[-1]
    assert (row["state"], row["order"], row["amount"], row["receipt"], row["refunded"]) == (
        "settled", "10000019", 12_000, sale.reference, 0,
    )  # fmt: skip


def test_what_is_done_already_has_codes_of_its_own(sale: Sale) -> None:
    steps = ["bpInquiryRequest", "bpSettleRequest", "bpVerifyRequest", "bpVerifyRequest", "bpInquiryRequest"]
    steps += ["bpSettleRequest", "bpSettleRequest", "bpVerifyRequest", "bpInquiryRequest"]
    assert [sale.code(step) for step in steps] == ["0", "44", "0", "43", "43", "0", "45", "43", "45"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"terminalId": 2016}, "21"), ({"userName": "other"}, "24"), ({"userPassword": ""}, "24"),
        ({"amount": 0}, "25"), ({"amount": -12_000}, "25"), ({"orderId": 0}, "32"),
        ({"additionalData": "x" * 1001}, "32"), ({"localDate": "2026-11-22"}, "35"), ({"localTime": "93000"}, "35"),
        ({"callBackUrl": "portal"}, "62"), ({"callBackUrl": "https:///pay"}, "62"), ({"payerId": "x"}, "417"),
    ],
)  # fmt: skip
def test_a_payment_is_refused_for_what_the_guide_does_not_allow(
    outer: World, wire: Wire, change: dict[str, object], code: str
) -> None:
    assert said(wire.mellat_pay(**change)) == code
    assert outer.ledger() == []


def test_credentials_are_asked_for_in_every_call(sale: Sale) -> None:
    for name in ("bpVerifyRequest", "bpSettleRequest", "bpInquiryRequest", "bpReversalRequest"):
        assert sale.code(name, userPassword="guess") == "24"
        assert sale.code(name, terminalId=1) == "21"


def is_fault(answer: Answer) -> bool:
    return answer.status == 500 and answer.soap.tag == f"{{{SOAP}}}Fault"


ACCOUNT = {"terminalId": 2015, "userName": "portal", "userPassword": "pretend-password"}
VERIFY = ACCOUNT | {"orderId": 1, "saleOrderId": 1, "saleReferenceId": 1}


@pytest.mark.parametrize(
    "body",
    [
        "",
        f'<bpVerifyRequest xmlns="{MELLAT}">{elements(VERIFY)}</bpVerifyRequest>',
        f'<b:bpVerifyRequest xmlns:b="{MELLAT.rstrip("/")}">{elements(VERIFY)}</b:bpVerifyRequest>',
        f'<b:bpGuessRequest xmlns:b="{MELLAT}">{elements(VERIFY)}</b:bpGuessRequest>',
        f'<b:bpVerifyRequest xmlns:b="{MELLAT}">{elements(dict(reversed(VERIFY.items())))}</b:bpVerifyRequest>',
        f'<b:bpVerifyRequest xmlns:b="{MELLAT}">{elements(ACCOUNT)}</b:bpVerifyRequest>',
        f'<b:bpVerifyRequest xmlns:b="{MELLAT}">{elements(VERIFY | {"amount": 1})}</b:bpVerifyRequest>',
        f'<b:bpVerifyRequest xmlns:b="{MELLAT}">{elements(VERIFY | {"orderId": "1.0"})}</b:bpVerifyRequest>',
        f'<b:bpVerifyRequest xmlns:b="{MELLAT}">{elements(VERIFY | {"orderId": 2**63})}</b:bpVerifyRequest>',
        f'<b:bpVerifyRequest xmlns:b="{MELLAT}">{elements(VERIFY)}',
    ],
    ids=["empty", "qualified", "namespace", "op", "order", "missing", "unknown", "fraction", "large", "not-closed"],
)
def test_a_wrongly_formed_envelope_is_a_fault(wire: Wire, body: str) -> None:
    assert is_fault(wire.post_soap(SERVICE, body, '""'))


def test_the_envelope_and_its_headers_are_those_of_soap_1_1(wire: Wire) -> None:
    call = f'<b:bpVerifyRequest xmlns:b="{MELLAT}">{elements(VERIFY)}</b:bpVerifyRequest>'
    assert said(wire.post_soap(SERVICE, call, '""')) == "42"
    assert is_fault(wire.post_soap(SERVICE, call, "bpVerifyRequest"))
    assert wire.post_soap(SERVICE, call, '""', kind="application/soap+xml").status == 415
    head = {"Content-Type": "text/xml", "SOAPAction": '""'}
    for space in ("http://www.w3.org/2003/05/soap-envelope", ""):
        other = f'<e:Envelope xmlns:e="{space or SOAP}"><e:Body>{call}</e:Body>{"" if space else "<x/>"}</e:Envelope>'
        assert is_fault(wire.call("POST", SERVICE, other.encode(), headers=head))
    bomb = f'<!DOCTYPE e [<!ENTITY x "y">]><e:Envelope xmlns:e="{SOAP}"><e:Body>{call}</e:Body></e:Envelope>'
    assert is_fault(wire.call("POST", SERVICE, bomb.encode(), headers=head))


def test_an_order_number_is_used_once(wire: Wire) -> None:
    assert said(wire.mellat_pay()).startswith("0,")
    assert said(wire.mellat_pay()) == "41"
    assert said(wire.mellat_pay("010000019")) == "41"


def test_the_pay_page_takes_a_form_from_a_known_site_in_time(outer: World, wire: Wire) -> None:
    ref_id = said(wire.mellat_pay()).removeprefix("0,")
    assert wire.get(f"{PAGE}?RefId={ref_id}", Referer=HOME).status == 405
    assert wire.post_form(PAGE, {"RefId": ref_id}).status == 403
    assert wire.post_form(PAGE, {"RefId": ref_id.swapcase()}, Referer=HOME).status == 404
    assert wire.post_form(PAGE, {"RefId": ref_id}, Referer=HOME).status == 200
    outer.clock(15 * 60 + 1)
    assert wire.post_form(PAGE, {"RefId": ref_id}, Referer=HOME).status == 410


@pytest.mark.parametrize(("do", "code"), [("cancel", "17"), ("fail", "12")])
def test_no_reference_comes_without_money(outer: World, wire: Wire, do: str, code: str) -> None:
    fields = outer.pay("mellat", said(wire.mellat_pay()).removeprefix("0,"), do).fields
    assert (fields["ResCode"], fields["SaleReferenceId"], fields["FinalAmount"]) == (code, "", "")
    assert Sale(wire, "10000019", "0").code("bpVerifyRequest") == "54"


def test_order_and_reference_belong_together(outer: World, wire: Wire, sale: Sale) -> None:
    other = make_sale(outer, wire, "10000020")
    assert sale.code("bpVerifyRequest", saleOrderId="3", orderId="3") == "42"
    assert sale.code("bpVerifyRequest", saleReferenceId="1") == "54"
    assert sale.code("bpVerifyRequest", saleReferenceId=other.reference) == "55"
    assert sale.code("bpVerifyRequest", orderId=other.order) == "55"
    assert [row["state"] for row in outer.ledger()] == ["paid", "paid"]
    assert sale.code("bpVerifyRequest", orderId="30000000") == "0"
    assert [row["state"] for row in outer.ledger()] == ["verified", "paid"]


def test_unverified_money_goes_back_after_twenty_minutes(outer: World, sale: Sale) -> None:
    outer.clock(20 * 60 - 10)
    assert outer.ledger()[-1]["state"] == "paid"
    outer.clock(11)
    for name in ("bpVerifyRequest", "bpSettleRequest", "bpInquiryRequest", "bpReversalRequest"):
        assert sale.code(name) == "48"


def test_reversal_wants_a_verified_unsettled_sale_and_three_hours(outer: World, wire: Wire, sale: Sale) -> None:
    assert sale.code("bpReversalRequest") == "44"
    sale.code("bpVerifyRequest")
    outer.clock(3 * 3600 - 10)
    assert [sale.code("bpReversalRequest") for _ in range(2)] == ["0", "48"]
    assert outer.ledger()[-1]["state"] == "reversed"
    late = make_sale(outer, wire, "2")
    late.code("bpVerifyRequest")
    outer.clock(3 * 3600 + 1)
    assert late.code("bpReversalRequest") == "55"
    assert late.code("bpSettleRequest") == "0"
    assert late.code("bpReversalRequest") == "45"


def test_a_settled_sale_is_refunded_in_parts_each_with_a_number_of_its_own(
    outer: World, wire: Wire, sale: Sale
) -> None:
    def refund(order: object, amount: object) -> str:
        return sale.code("bpRefundRequest", orderId=order, refundAmount=amount)

    assert refund(501, 5_000) == "44"
    sale.code("bpVerifyRequest")
    assert refund(501, 5_000) == "46"
    sale.code("bpSettleRequest")
    assert [refund(501, 0), refund(501, 12_001), refund(sale.order, 5_000)] == ["25", "25", "41"]
    assert [refund(501, 5_000), refund(501, 5_000), refund(502, 7_001), refund(502, 7_000)] == ["0", "41", "25", "0"]
    row = outer.ledger()[-1]
    assert (row["state"], row["amount"], row["refunded"]) == ("settled", 12_000, 12_000)
    assert said(wire.mellat_pay(501)) == "41"


def broken(sale: Sale) -> None:
    with pytest.raises(ET.ParseError):
        _ = sale.answer("bpVerifyRequest").soap


def an_html_page(sale: Sale) -> None:
    answer = sale.answer("bpVerifyRequest")
    assert (answer.status, answer.text[:6]) == (200, "<html>")


def silence(sale: Sale) -> None:
    with pytest.raises((TimeoutError, urllib.error.URLError)):
        sale.answer("bpVerifyRequest", timeout=0.5)


def closed_door(sale: Sale) -> None:
    with pytest.raises((ConnectionError, urllib.error.URLError)):
        sale.answer("bpVerifyRequest")


def server_error(sale: Sale) -> None:
    answer = sale.answer("bpVerifyRequest")
    assert (answer.status, answer.text[:6]) == (500, "<html>")


def a_fault(sale: Sale) -> None:
    assert is_fault(sale.answer("bpVerifyRequest"))


def ten_megabytes(sale: Sale) -> None:
    answer = sale.answer("bpVerifyRequest")
    assert answer.headers["Content-Type"].startswith("text/xml")
    assert len(answer.text) > 10_000_000


@pytest.mark.parametrize(
    ("step", "seen", "state"),
    [
        ("timeout_after_commit", silence, "verified"), ("slow_drip", silence, "verified"),
        ("truncated", broken, "verified"), ("huge", ten_megabytes, "verified"),
        ("timeout", silence, "paid"), ("refuse", closed_door, "paid"), ("fault", a_fault, "paid"),
        ("500", server_error, "paid"), ("html", an_html_page, "paid"),
    ],
)  # fmt: skip
def test_a_scripted_verify_goes_wrong_once(
    outer: World, sale: Sale, step: str, seen: Callable[[Sale], None], state: str
) -> None:
    outer.next("mellat", "verify", step)
    seen(sale)
    assert outer.ledger()[-1]["state"] == state
    assert sale.code("bpVerifyRequest") == ("43" if state == "verified" else "0")


def test_each_operation_behind_the_one_address_has_a_script_of_its_own(outer: World, wire: Wire, sale: Sale) -> None:
    ops = {
        "verify": "bpVerifyRequest", "settle": "bpSettleRequest", "inquiry": "bpInquiryRequest",
        "reverse": "bpReversalRequest", "refund": "bpRefundRequest",
    }  # fmt: skip
    for op in ops:
        outer.next("mellat", op, {"code": 34})
    outer.next("mellat", "start", {"code": 421})
    for name in reversed(ops.values()):
        answer = sale.answer(name, **{"refundAmount": 1} if name == "bpRefundRequest" else {})
        assert (answer.soap.tag, said(answer)) == (f"{{{MELLAT}}}{name}Response", "34")
    assert said(wire.mellat_pay("2")) == "421"
    assert said(wire.mellat_pay("2")).startswith("0,")
    outer.next("mellat", "browser", {"code": 1})
    assert wire.post_form(PAGE, {"RefId": "x"}, Referer=HOME).status == 403


def test_any_text_can_come_instead_of_an_answer(outer: World, sale: Sale) -> None:
    outer.next("mellat", "verify", {"raw": "<no>ملت</no>"}, {"raw": "0"})
    first, second = sale.answer("bpVerifyRequest"), sale.answer("bpVerifyRequest")
    assert (first.text, second.text, first.status) == ("<no>ملت</no>", "0", 200)
    assert first.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert sale.code("bpVerifyRequest") == "0"
    outer.next("sep", "start", {"raw": "<no>"})
    other = sale.wire.sep_token()
    assert (other.text, other.headers["Content-Type"]) == ("<no>", "application/json; charset=utf-8")


def test_the_callback_carries_the_card_unasked(outer: World, wire: Wire) -> None:
    fields = outer.pay("mellat", said(wire.mellat_pay()).removeprefix("0,")).fields
    seen = {fields["CardHolderPan"], fields["CardHolderInfo"], fields["CreditCardSaleResponseDetail"]}
    assert len(seen) == 3
    assert seen <= set(outer.ledger()[-1]["card"]["traces"])
