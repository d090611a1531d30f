"""Buttons and callbacks that come twice, from one browser or from two people: it happens once."""

import contextlib
import re
import threading

import pytest

from accounts.models import Customer
from billing import flows
from billing.flows import CannotGiveBack, place_order, reconcile
from billing.forms import new_form_token
from billing.models import Invoice, LedgerEntry, Payment, Refund
from billing.models.invoices import LedgerQuerySet
from billing.models.steps import ForbiddenMove
from tests.base import make_customer
from tests.billing.base import EVERY, NOT_REVERSED, REVERSIBLE, assert_paid_once, books, bring, fresh, start, told
from tests.billing.faults import Person, reconcile_once, result_of, taken_but_unanswered
from tests.billing.test_callback_storm import at_once

pytestmark = pytest.mark.django_db(transaction=True)
Status = Payment.Status


@pytest.fixture
def dan(db) -> Customer:
    """Staff too."""
    return make_customer("dan@example.com", "+989121110004", language="en", is_staff=True)


def other_invoice(alice, plan) -> Invoice:
    return place_order(customer=alice, plan=plan, option=None, form_token=new_form_token()).invoices.get()


def taken_but_not_needed(bank, invoice: Invoice, gateway: str) -> Payment:
    """Verified money whose invoice became void meanwhile, and that the bank would not give back when we asked."""
    payment = taken_but_unanswered(bank, invoice, gateway)
    invoice.void()
    if gateway in REVERSIBLE:
        bank.next(gateway, "reverse", {"code": NOT_REVERSED[gateway]})
    reconcile_once(payment)
    assert fresh(payment).status == Status.UNAPPLIED and told() == ["payment_not_applied"]
    return payment


@EVERY
def test_twenty_browsers_with_one_callback_all_see_the_one_success(web, bank, alice, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    result, browsers = result_of(payment), Person(web, alice).browsers(20)

    def come_back(number: int) -> tuple[int, str, str]:
        led = browsers[number].bring(callback)
        return led.status_code, led.headers["Location"], browsers[number].see(result)

    answers = at_once(20, come_back)
    assert {answer[:2] for answer in answers} == {(303, result)}
    assert all("Paid. Thank you" in page and fresh(payment).receipt in page for _, _, page in answers)
    assert_paid_once(payment)
    assert payment.tries == 1 + (gateway == "mellat"), "the bank was asked once, and once more to settle"
    assert [e.now for e in payment.events.all()].count("paid") == 1


def test_the_pay_button_pressed_in_ten_browsers_asks_the_bank_for_one_token(web, bank, alice, invoice):
    alices = Person(web, alice)
    page = alices.get(invoice.get_absolute_url()).text
    fields = {
        name: re.search(rf'name="{name}" value="([^"]+)"', page)[1] for name in ("csrfmiddlewaretoken", "form_token")
    }
    presses = at_once(10, lambda _: alices.post(f"{invoice.get_absolute_url()}pay/", {**fields, "gateway": "sep"}))
    payment = Payment.objects.get()
    assert {(p.status_code, p.headers.get("Location")) for p in presses} == {(303, f"/pay/{payment.public_id}/")}
    assert [row["id"] for row in bank.ledger()] == [payment.token]
    assert payment.status == Status.SENT


@pytest.mark.parametrize("gateway", ["sadad", "mellat"])
def test_two_of_us_keep_the_same_money_as_credit_once(bank, invoice, gateway):
    payment = taken_but_not_needed(bank, invoice, gateway)
    kept = at_once(2, lambda _: flows.keep_as_credit(payment=payment))
    assert sorted(map(str, kept)) == ["False", "True"]
    assert LedgerEntry.objects.get().amount == payment.amount
    assert told().count("credit_added") == 1


@pytest.mark.parametrize("status", [Status.SENT, Status.VERIFYING, Status.UNSETTLED, Status.PAID, Status.REVERSED])
def test_only_money_that_lies_in_the_inbox_is_kept_as_credit(bank, invoice, status):
    """Whoever presses the button on a page that is old by now adds no money."""
    payment = start(invoice, "mellat")
    callback = bank.pay("mellat", payment.token)
    if status == Status.REVERSED:
        bank.next("mellat", "verify", "500")
        bring(callback)
        invoice.void()
        reconcile_once(payment)
    elif status != Status.SENT:
        bank.next(
            "mellat", "settle" if status == Status.UNSETTLED else "verify", "500" if status != Status.PAID else "ok"
        )
        bring(callback)
    before = LedgerEntry.objects.total()
    assert fresh(payment).status == status
    with contextlib.suppress(ForbiddenMove):
        assert not flows.keep_as_credit(payment=payment)
    assert (fresh(payment).status, LedgerEntry.objects.total()) == (status, before)


@pytest.mark.parametrize("gateway", ["sadad", "zibal"])
def test_another_amount_than_ours_can_be_kept_as_credit(bank, invoice, gateway):
    """These banks cannot take it back, so this is what can be done without a transfer."""
    payment = start(invoice, gateway)
    bank.next(gateway, "verify", {"amount": invoice.total - 1})
    bring(bank.pay(gateway, payment.token))
    assert fresh(payment).status == Status.UNAPPLIED
    assert flows.keep_as_credit(payment=payment)
    assert LedgerEntry.objects.credit().total() == invoice.total - 1


@pytest.mark.parametrize("gateway", REVERSIBLE)
def test_two_of_us_give_the_same_money_back_once(bank, invoice, gateway):
    payment = taken_but_not_needed(bank, invoice, gateway)
    given = at_once(2, lambda _: flows.give_back(payment=payment))
    assert sorted(map(str, given)) == ["False", "True"]
    assert fresh(payment).status == Status.REVERSED and not LedgerEntry.objects.exists()
    assert payment.events.filter(now=Status.REVERSING).count() == 2, "once in vain, and once now"
    assert told().count("payment_given_back") == 1


@pytest.mark.parametrize("gateway", REVERSIBLE)
def test_one_of_us_keeps_what_the_other_one_gives_back_and_the_books_agree_with_the_bank(bank, invoice, gateway):
    """What was kept first may still be given back, out of the credit; what was given back is kept by nobody."""
    payment = taken_but_not_needed(bank, invoice, gateway)
    acts = (flows.keep_as_credit, flows.give_back)
    found = at_once(2, lambda number: acts[number](payment=payment))
    assert True in found and all(isinstance(each, bool | ForbiddenMove) for each in found), found
    reconcile()
    back = books(bank, gateway)[payment.token] == "reversed"
    assert fresh(payment).status == (Status.REVERSED if back else Status.PAID)
    assert LedgerEntry.objects.total() == (0 if back else payment.amount)


@pytest.fixture
def credit(bank, invoice) -> Payment:
    """A payment whose order was taken back: all of it is alice's credit."""
    payment = start(invoice, "sep")
    bring(bank.pay("sep", payment.token))
    flows.cancel_paid_order(order=invoice.order)
    assert LedgerEntry.objects.credit().total() == payment.amount
    return fresh(payment)


def ask_for(payment: Payment, by: Customer, amount: int | None = None) -> Refund:
    why = Refund.Why.ASKED_FOR
    return flows.ask_for_refund(payment=payment, amount=amount or payment.amount, why=why, by=by)


def test_two_of_us_ask_for_the_same_refund_once(credit, carol, dan):
    found = at_once(2, lambda number: ask_for(credit, (carol, dan)[number]))
    assert sorted(type(each).__name__ for each in found) == ["CannotGiveBack", "Refund"]
    assert [e.amount for e in LedgerEntry.objects.filter(kind="refund")] == [-credit.amount]


def test_two_of_us_agree_to_one_refund_once(credit, alice, carol, dan):
    refund = ask_for(credit, carol)
    erin = make_customer("erin@example.com", "+989121110005", is_staff=True)
    agreed = at_once(2, lambda number: flows.agree_to_refund(refund=refund, by=(dan, erin)[number]))
    assert sorted(map(str, agreed)) == ["False", "True"]
    assert refund.events.filter(now=Refund.Status.AGREED).count() == 1
    with pytest.raises(CannotGiveBack):
        flows.agree_to_refund(refund=refund, by=carol)


def test_one_of_us_agrees_and_another_one_refuses_and_one_of_it_happens(credit, carol, dan):
    refund = ask_for(credit, carol)
    erin = make_customer("erin@example.com", "+989121110005", is_staff=True)
    acts = ((flows.agree_to_refund, dan), (flows.refuse_refund, erin))
    found = at_once(2, lambda number: acts[number][0](refund=refund, by=acts[number][1]))
    assert found.count(True) == 1 and any(isinstance(each, ForbiddenMove) for each in found), found
    refused = fresh(refund).status == Refund.Status.REFUSED
    assert LedgerEntry.objects.credit().total() == (credit.amount if refused else 0)


def test_a_refund_is_done_under_one_number(credit, carol, dan):
    refund = ask_for(credit, carol)
    flows.agree_to_refund(refund=refund, by=dan)
    done = at_once(2, lambda number: flows.finish_refund(refund=refund, bank_reference=f"transfer-{number}"))
    assert sorted(map(str, done)) == ["False", "True"]
    assert refund.events.filter(now=Refund.Status.DONE).count() == told().count("payment_given_back") == 1


def test_one_of_us_gives_back_at_the_gateway_and_the_other_at_the_bank_and_one_of_it_happens(bank, credit, carol):
    acts = (lambda: flows.give_back(payment=credit), lambda: ask_for(credit, carol))
    found = at_once(2, lambda number: acts[number]())
    won = [each for each in found if each is True or isinstance(each, Refund)]
    assert len(won) == 1, found
    assert LedgerEntry.objects.total() == 0
    assert (books(bank, "sep")[credit.token] == "reversed") == (won == [True])


@pytest.fixture
def both_look_first(monkeypatch) -> None:
    """Two who read what credit there is both read it before either of them writes, unless one is made to wait."""
    look, both = LedgerQuerySet.total, threading.Barrier(2)

    def total(rows: LedgerQuerySet) -> int:
        found = look(rows)
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(1)
        return found

    monkeypatch.setattr(LedgerQuerySet, "total", total)


def test_one_credit_is_not_given_back_through_two_payments(bank, alice, plan, invoice, both_look_first, monkeypatch):
    """Both were large enough when they were looked at; the second one of us is told no, and meets no error."""
    payments = [start(invoice, "sep"), start(other_invoice(alice, plan), "zarinpal")]
    for payment in payments:
        bring(bank.pay(payment.gateway, payment.token))
    flows.cancel_paid_order(order=payments[1].invoice.order)
    given = at_once(2, lambda number: flows.give_back(payment=payments[number]))
    monkeypatch.undo()
    assert sorted(map(str, given)) == ["False", "True"], given
    assert LedgerEntry.objects.credit().total() == 0


def test_credit_is_not_spent_and_given_back_at_once(alice, plan, credit, both_look_first, monkeypatch):
    new = other_invoice(alice, plan)
    acts = (lambda: flows.give_back(payment=credit), lambda: flows.use_credit(invoice=new))
    found = at_once(2, lambda number: acts[number]())
    monkeypatch.undo()
    assert not [each for each in found if isinstance(each, Exception)], found
    assert (True in found) != (fresh(new).received == credit.amount)


def test_who_cancels_what_we_have_just_taken_back_meets_no_error(alice_client, credit):
    order = credit.invoice.order
    assert alice_client.post(f"/orders/{order.number}/cancel/").status_code == 302
    assert LedgerEntry.objects.credit().total() == credit.amount
