"""The page where a person pays, plainly a pretend one; Persian first, English below."""

from html import escape
from typing import Protocol
from urllib.parse import urlsplit

from . import ledger as book
from .ledger import Payment
from .pages import both, frame, latin, rials
from .wire import Callback, Reply

BUTTONS = {
    "pay": ("پرداخت", "Pay"),
    "cancel": ("انصراف", "Cancel"),
    "fail": ("پرداخت ناموفق", "Fail the payment"),
    "pay-and-close": ("پرداخت و بستن صفحه", "Pay, then close the tab"),
}
SIGN = both("بانک آزمایشی: هیچ پولی جابه‌جا نمی‌شود", "Pretend bank: no money moves here")


class Named(Protocol):
    slug: str
    name_fa: str
    name_en: str


def pay_page(gateway: Named, payment: Payment) -> Reply:
    if payment.state != book.STARTED:
        return notice_page("این پرداخت پیش‌تر انجام یا لغو شده است", "This payment is over already", status=409)
    shop = urlsplit(payment.callback_url).netloc
    facts = {
        ("پذیرنده", "Merchant"): f'<span class="value">{latin(shop)}<small>{latin(payment.merchant)}</small></span>',
        ("مبلغ", "Amount"): f'<strong class="value amount">{rials(payment.amount)}</strong>',
        ("شماره سفارش", "Order number"): f'<span class="value">{latin(payment.order or "–")}</span>',
    }
    if payment.details.get("description"):
        description = f'<span class="value" dir="auto">{escape(payment.details["description"])}</span>'
        facts[("شرح", "Description")] = description
    rows = "".join(f"<div><dt>{both(*names)}</dt><dd>{value}</dd></div>" for names, value in facts.items())
    number = " ".join(payment.card.number[place : place + 4] for place in range(0, 16, 4))
    hidden = f'<input type="hidden" name="gateway" value="{gateway.slug}">'
    hidden += f'<input type="hidden" name="id" value="{escape(payment.id)}">'
    body = (
        f"{_head(gateway.name_fa, gateway.name_en)}<main><dl>{rows}</dl>"
        f'<form method="post" action="/bank/press">{hidden}'
        f"<fieldset><legend>{both('کارت آزمایشی', 'Pretend card')}</legend>"
        f'<label for="card">{both("شماره کارت", "Card number")}</label>'
        f'<input id="card" value="{number}" dir="ltr" readonly autocomplete="off">'
        f'<label for="holder">{both("نام دارنده", "Card holder")}</label>'
        f'<input id="holder" value="{payment.card.holder}" dir="ltr" readonly autocomplete="off"></fieldset>'
        f"<div class='main-buttons'>{_button('pay')}{_button('cancel')}</div>"
        f'<section class="trials"><h2>{both("برای آزمودن", "To try out")}</h2>'
        f"{_button('pay-and-close')}{_button('fail')}</section></form></main>"
    )
    return Reply.html(frame(gateway.name_fa, body, look="bank"))


def return_page(callback: Callback) -> Reply:
    """A form that sends itself; the button is for a browser without JavaScript."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in callback.fields.items()
    )
    body = (
        f"{_head('بازگشت به فروشگاه', 'Back to the shop')}<main>"
        f'<form id="callback" method="post" action="{escape(callback.url)}">{fields}'
        f'<div class="main-buttons"><button id="return">{both("بازگشت به فروشگاه", "Back to the shop")}</button></div>'
        '</form></main><script src="/static/submit.js"></script>'
    )
    return Reply.html(frame("بازگشت به فروشگاه", body, look="bank"))


def notice_page(persian: str, english: str, *, status: int = 200) -> Reply:
    body = f'{_head("بانک آزمایشی", "Pretend bank")}<main><p class="notice">{both(persian, english)}</p></main>'
    return Reply.html(frame(persian, body, look="bank"), status)


def _head(persian: str, english: str) -> str:
    return f'<p class="sign">{SIGN}</p><header><h1>{both(persian, english)}</h1></header>'


def _button(do: str) -> str:
    return f'<button id="{do}" name="do" value="{do}">{both(*BUTTONS[do])}</button>'
