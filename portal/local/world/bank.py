"""What a person does at a pretend bank: pay, cancel, fail, or pay and close the tab."""

from typing import Protocol

from . import ledger as book
from .bank_page import BUTTONS, notice_page, return_page
from .ledger import Ledger, Payment
from .wire import Callback, Reply, Request, Route


class Gateway(Protocol):
    """One file per gateway gives one of these; `give_back_after` is seconds from payment to automatic reversal."""

    slug: str
    name_fa: str
    name_en: str
    give_back_after: int

    def routes(self) -> list[Route]: ...
    def refuse(self, op: str, code: int) -> Reply: ...
    def new_receipt(self) -> str: ...
    def callback(self, payment: Payment) -> Callback: ...


class NoSuchPayment(Exception):
    """The ledger has no such gateway, payment or button."""


class Bank:
    def __init__(self, ledger: Ledger, gateways: list[Gateway]) -> None:
        self._ledger = ledger
        self.gateways = {gateway.slug: gateway for gateway in gateways}
        ledger.give_back_after = {gateway.slug: gateway.give_back_after for gateway in gateways}

    def routes(self) -> list[Route]:
        own = [Route("POST", "/bank/press", self._pressed)]
        return own + [route for gateway in self.gateways.values() for route in gateway.routes()]

    def press(self, gateway: str, id: str, do: str) -> Callback:
        """The callback that the customer's browser would now carry; raises ForbiddenMove on a second press."""
        payment = self._ledger.by_id(gateway, id)
        if payment is None or do not in BUTTONS:
            raise NoSuchPayment(f"{gateway} {do}")
        if do == "cancel":
            self._ledger.move(payment, book.CANCELLED)
        elif do == "fail":
            self._ledger.move(payment, book.FAILED)
        else:
            self._ledger.take_money(payment, self.gateways[gateway].new_receipt())
        return self.gateways[gateway].callback(payment)

    def _pressed(self, request: Request) -> Reply:
        form = request.form()
        try:
            callback = self.press(form.get("gateway", ""), form.get("id", ""), form.get("do", ""))
        except NoSuchPayment:
            return notice_page("این پرداخت یافت نشد", "No such payment", status=404)
        except book.ForbiddenMove:
            return notice_page("این پرداخت پیش‌تر انجام یا لغو شده است", "This payment is over already", status=409)
        if form["do"] == "pay-and-close":
            return notice_page("پول برداشته شد؛ به فروشگاه خبری نرسید", "Money taken; the shop was not told")
        return return_page(callback) if callback.method == "POST" else Reply.see_other(callback.address)
