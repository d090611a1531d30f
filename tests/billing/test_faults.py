"""What breaks on the way of money: processes killed, answers lost, clocks off, buttons pressed twice. Booked once."""

import contextlib
import re
import threading
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Customer
from billing import flows, gateways
from billing.flows import CannotGiveBack, CannotPay, look_again, place_order, reconcile, start_payment
from billing.forms import new_form_token
from billing.gateways import sadad
from billing.models import GatewayAccount, Invoice, LedgerEntry, Payment, PaymentEvent, Refund
from billing.models.invoices import LedgerQuerySet
from billing.models.steps import ForbiddenMove
from tests.base import make_customer
from tests.billing.base import (
    BY_TOKEN,
    EVERY,
    REVERSIBLE,
    SLUGS,
    assert_paid_once,
    books,
    bring,
    due_now,
    fresh,
    minutes_ago,
    start,
    told,
)
from tests.billing.faults import (
    Person,
    Web,
    dying,
    on_its_way,
    order_held,
    reconcile_a_little_later,
    somebody_waits_for_us,
    until,
)
from tests.billing.test_callback_storm import at_once

pytestmark = pytest.mark.django_db(transaction=True)

Status = Payment.Status
OURS_NOW = ("verified", "settled")
NOT_REVERSED = {"sep": -6, "mellat": 55, "parsian": -1549, "zarinpal": -63}


@pytest.fixture(scope="module")
def webs(world, tmp_path_factory):
    """The one web of these tests; whoever kills it gets the next one started."""
    web = Web(world, tmp_path_factory.mktemp("web"))
    yield web
    web.kill()


@pytest.fixture
def web(transactional_db, webs) -> Web:
    return webs if webs.is_running else webs.start()


@pytest.fixture
def dan(db) -> Customer:
    """Staff too."""
    return make_customer("dan@example.com", "+989121110004", language="en", is_staff=True)


@pytest.fixture
def impatient(monkeypatch) -> None:
    monkeypatch.setattr("billing.gateways.wire.TIMEOUT", (1, 0.4))
    monkeypatch.setattr("billing.gateways.wire.PATIENCE", 1)


def result_of(payment: Payment) -> str:
    return f"/pay/{payment.public_id}/result/"


def other_invoice(alice, plan) -> Invoice:
    return place_order(customer=alice, plan=plan, option=None, form_token=new_form_token()).invoices.get()


def taken_but_unanswered(bank, invoice: Invoice, gateway: str) -> Payment:
    """The bank has the money verified, and its answer was lost."""
    payment = start(invoice, gateway)
    bank.next(gateway, "verify", "truncated")
    bring(bank.pay(gateway, payment.token))
    assert fresh(payment).status == Status.VERIFYING and books(bank, gateway)[payment.token] in OURS_NOW
    return payment


def taken_but_not_needed(bank, invoice: Invoice, gateway: str) -> Payment:
    """Verified money whose invoice became void meanwhile, and that the bank would not give back when we asked."""
    payment = taken_but_unanswered(bank, invoice, gateway)
    invoice.void()
    if gateway in REVERSIBLE:
        bank.next(gateway, "reverse", {"code": NOT_REVERSED[gateway]})
    reconcile_once(payment)
    assert fresh(payment).status == Status.UNAPPLIED and told() == ["payment_not_applied"]
    return payment


def reconcile_once(payment: Payment) -> Payment:
    look_again(payment=due_now(payment))
    return fresh(payment)


# --- the same callback many times -------------------------------------------------------------------------------------


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


# --- the bank keeps silent --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gateway", BY_TOKEN)
def test_who_pays_just_after_we_asked_is_found_within_five_minutes_too(bank, invoice, gateway):
    payment = start(invoice, gateway)
    minutes_ago(payment, 3)
    assert reconcile() == {"sent": 1}
    bank.pay(gateway, payment.token, "pay-and-close")
    minutes_ago(payment, 5)
    assert reconcile() == {"paid": 1}
    assert_paid_once(payment)


@EVERY
def test_a_silent_bank_is_waited_for_and_nobody_pays_twice(bank, alice_client, invoice, gateway, impatient):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.next(gateway, "verify", "timeout", "500")
    back = bring(callback)
    assert (fresh(payment).status, payment.result_code) == (Status.VERIFYING, "timeout")
    for status in (Status.VERIFYING, Status.UNKNOWN):
        assert fresh(payment).status == status
        assert "Your payment is being checked" in alice_client.get(back.headers["Location"]).content.decode()
        for other in SLUGS:
            with pytest.raises(CannotPay, match="being checked"):
                start_payment(invoice=invoice, gateway=other, form_token=new_form_token())
        if status == Status.VERIFYING:
            minutes_ago(payment, 31)
            assert reconcile() == {"unknown": 1}
    minutes_ago(payment, 11)
    assert reconcile() == {"paid": 1}
    assert_paid_once(payment)
    assert not payment.events.filter(now=Status.FAILED).exists()


def test_an_answer_that_comes_after_its_lease_is_over_counts_no_more(bank, invoice, monkeypatch):
    """A process that slept for minutes with "not paid" in its hands must not undo what another one began since."""
    payment = start(invoice, "sadad")
    minutes_ago(payment, 3)
    ask = sadad.Adapter.verify

    def ask_and_sleep(adapter, attempt):
        outcome = ask(adapter, attempt)
        assert outcome.kind is gateways.Kind.NOT_PAID
        monkeypatch.undo()
        minutes_ago(payment, 3)
        bank.next("sadad", "verify", "truncated")
        bring(bank.pay("sadad", payment.token))
        assert books(bank, "sadad") == {payment.token: "verified"}
        return outcome

    monkeypatch.setattr(sadad.Adapter, "verify", ask_and_sleep)
    reconcile()
    assert fresh(payment).status == Status.VERIFYING
    assert reconcile_once(payment).status == Status.PAID
    assert_paid_once(payment)


def test_money_that_a_person_must_look_at_is_not_waved_away_by_the_same_callback(bank, invoice):
    """The bank has it verified. That the invoice was paid anew since does not make it "not collected"."""
    payment = start(invoice, "sep")
    callback = bank.pay("sep", payment.token)
    gateways.gateway("sep").verify(payment.attempt._replace(receipt=callback.fields["RefNum"]))
    bring(callback)
    assert fresh(payment).status == Status.SUSPECT
    again = start(invoice, "zarinpal")
    bring(bank.pay("zarinpal", again.token))
    assert_paid_once(again)
    bring(callback)
    assert books(bank, "sep") == {payment.token: "verified"}
    assert [p.pk for p in Payment.objects.inbox()] == [payment.pk], fresh(payment).status


# --- the invoice needs it no more -------------------------------------------------------------------------------------


GIVING_BACK = [("transaction", n) for n in range(1, 6)] + [(place, n) for place in ("call", "answer") for n in (1, 2)]


@pytest.mark.parametrize(("place", "nth"), GIVING_BACK)
def test_who_died_while_giving_back_is_replaced_by_the_sweep(bank, invoice, place, nth):
    """Money is taken and applied to nothing: it goes back and is spoken of once, wherever the first process ended."""
    payment = due_now(taken_but_unanswered(bank, invoice, "sep"))
    invoice.void()
    is_done = False
    with dying(place, nth):
        look_again(payment=payment)
        is_done = True
    assert not is_done, "this death was never reached"
    for _ in range(3):
        minutes_ago(payment, 3)
        reconcile()
    assert (fresh(payment).status, books(bank, "sep")) == (Status.REVERSED, {payment.token: "reversed"})
    assert told() == ["payment_given_back"] and not LedgerEntry.objects.exists()


# --- killed -----------------------------------------------------------------------------------------------------------


def assert_settled_by_the_sweep(bank, payment: Payment, callback) -> None:
    assert reconcile() == {}, "until its lease is over, the dead process might be asking the bank"
    assert not LedgerEntry.objects.exists()
    minutes_ago(payment, 3)
    reconcile_a_little_later(payment)
    assert_paid_once(payment)
    bring(callback)
    assert reconcile() == {}
    assert_paid_once(payment)
    assert books(bank, payment.gateway)[payment.token] in OURS_NOW


@pytest.mark.parametrize("gateway", ["sep", "zarinpal", "mellat"])
def test_killed_before_the_bank_has_done_anything(web, bank, invoice, gateway, impatient):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.next(gateway, "verify", "timeout")
    with on_its_way(lambda: Person(web).bring(callback)):
        until(lambda: fresh(payment).lease_until)
        web.kill()
    assert (fresh(payment).status, books(bank, gateway)[payment.token]) == (Status.VERIFYING, "paid")
    assert_settled_by_the_sweep(bank, payment, callback)


@EVERY
def test_killed_while_the_bank_has_taken_the_money_and_not_answered(web, bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.next(gateway, "verify", "timeout_after_commit")
    with on_its_way(lambda: Person(web).bring(callback)):
        until(lambda: books(bank, gateway)[payment.token] in OURS_NOW)
        web.kill()
    assert fresh(payment).status == Status.VERIFYING
    assert_settled_by_the_sweep(bank, payment, callback)


@pytest.mark.parametrize("gateway", ["sep", "zarinpal", "mellat"])
def test_killed_with_everything_written_down_and_nothing_committed(web, bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    with on_its_way(lambda: Person(web).bring(callback)), order_held(invoice.order):
        until(somebody_waits_for_us)
        web.kill()
    assert (fresh(payment).status, told()) == (Status.VERIFYING, [])
    assert books(bank, gateway)[payment.token] == "verified"
    assert_settled_by_the_sweep(bank, payment, callback)


def test_killed_before_the_bank_was_told_to_transfer_the_money(web, bank, invoice, impatient):
    payment = start(invoice, "mellat")
    callback = bank.pay("mellat", payment.token)
    bank.next("mellat", "settle", "timeout")
    with on_its_way(lambda: Person(web).bring(callback)):
        until(lambda: fresh(payment).status == Status.UNSETTLED and payment.lease_until)
        web.kill()
    assert fresh(invoice).status == Invoice.Status.PAID, "the service runs already"
    assert reconcile() == {} and books(bank, "mellat") == {payment.token: "verified"}
    minutes_ago(payment, 3)
    reconcile_a_little_later(payment)
    assert books(bank, "mellat") == {payment.token: "settled"}
    assert_paid_once(payment)


@pytest.mark.parametrize("gateway", REVERSIBLE)
def test_killed_while_the_bank_has_given_the_money_back_and_not_answered(web, bank, invoice, gateway):
    payment = start(invoice, gateway)
    callback = bank.pay(gateway, payment.token)
    bank.next(gateway, "verify", "truncated")
    bank.next(gateway, "reverse", "timeout_after_commit")
    bring(callback)
    invoice.void()
    with on_its_way(lambda: Person(web).bring(callback)):
        until(lambda: books(bank, gateway)[payment.token] == "reversed")
        web.kill()
    assert (fresh(payment).status, told(), reconcile()) == (Status.REVERSING, [], {})
    minutes_ago(payment, 3)
    reconcile_a_little_later(payment)
    assert (fresh(payment).status, told()) == (Status.REVERSED, ["payment_given_back"])
    assert not LedgerEntry.objects.exists()


# --- pressed twice ----------------------------------------------------------------------------------------------------


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


# --- clocks -----------------------------------------------------------------------------------------------------------


@pytest.fixture(params=[10, -10], ids=["ten minutes fast", "ten minutes slow"])
def off(request) -> timedelta:
    return timedelta(minutes=request.param)


@pytest.fixture
def clock_is_off(monkeypatch, off) -> None:
    right = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: right() + off)


def ages(payment: Payment) -> dict[str, float]:
    """Seconds from the database's now to each time of the attempt."""
    names = ("created_at", "next_try_at", "verify_deadline", "lease_until")
    row = Payment.objects.annotate(db_now=Now()).get(pk=payment.pk)
    return {n: (getattr(row, n) - row.db_now).total_seconds() for n in names if getattr(row, n)}


@pytest.mark.parametrize("gateway", ["sep", "pasargad"])
def test_deadlines_are_the_databases_whatever_our_clock_says(bank, invoice, clock_is_off, gateway):
    payment = start(invoice, gateway)
    found = ages(payment)
    assert -30 < found["created_at"] <= 0 and 90 < found["next_try_at"] <= 120
    assert 29 * 60 < found["verify_deadline"] <= 30 * 60
    bank.next(gateway, "verify", "500")
    bring(bank.pay(gateway, payment.token))
    found, within = ages(payment), gateways.gateway(gateway).verify_within.total_seconds()
    assert 10 < found["next_try_at"] <= 40 and within - 30 < found["verify_deadline"] <= within
    assert "lease_until" not in found


def test_a_wrong_clock_takes_nobodys_lease_and_waits_for_none_that_is_over(bank, invoice, clock_is_off):
    payment = start(invoice, "sep")
    bank.next("sep", "verify", "500")
    bring(bank.pay("sep", payment.token))
    assert payment.take_lease(), "another process asks the bank"
    assert 100 < ages(payment)["lease_until"] <= 120
    Payment.objects.filter(pk=payment.pk).update(next_try_at=Now() - timedelta(seconds=1))
    assert reconcile() == {}
    flows.verify(payment=payment)
    assert books(bank, "sep") == {payment.token: "paid"} and fresh(payment).tries == 2
    minutes_ago(payment, 3)
    assert reconcile() == {"paid": 1}
    assert_paid_once(payment)


def test_a_wrong_clock_ends_nothing_early_and_nothing_late(bank, invoice, clock_is_off):
    sent, asked = start(invoice, "sep"), start(invoice, "pasargad")
    minutes_ago(sent, 25)
    bank.next("pasargad", "verify", "500", "500", "500")
    bring(bank.pay("pasargad", asked.token))
    minutes_ago(asked, 5)
    assert reconcile() == {"sent": 1, "verifying": 1}
    minutes_ago(sent, 6)
    minutes_ago(asked, 6)
    assert reconcile() == {"expired": 1, "unknown": 1}


def test_a_wrong_clock_keeps_a_broken_gateway_out_as_long_as_a_right_one(bank, invoice, clock_is_off):
    for _ in range(3):
        GatewayAccount.objects.failed("sep", "timeout")
    offered = lambda: [way.gateway.slug for way in GatewayAccount.objects.ways(invoice.due)]  # noqa: E731
    assert "sep" not in offered()
    GatewayAccount.objects.update(down_until=Now() - timedelta(seconds=1))
    assert "sep" in offered()


def test_a_web_with_a_wrong_clock_and_no_redis_takes_a_payment_like_any_other(
    world, bank, alice, invoice, off, tmp_path
):
    web = Web(world, tmp_path).start(minutes_fast=int(off.total_seconds() // 60), REDIS_URL="redis://127.0.0.1:1/0")
    try:
        alices = Person(web, alice)
        page = alices.get(invoice.get_absolute_url()).text
        fields = {n: re.search(rf'name="{n}" value="([^"]+)"', page)[1] for n in ("csrfmiddlewaretoken", "form_token")}
        alices.post(f"{invoice.get_absolute_url()}pay/", {**fields, "gateway": "zarinpal"})
        payment = Payment.objects.get()
        found = ages(payment)
        assert -30 < found["created_at"] <= 0 and 60 < found["next_try_at"] <= 120
        bank.next("zarinpal", "verify", "500")
        callback = bank.pay("zarinpal", payment.token)
        alices.bring(callback)
        assert 0 < ages(payment)["next_try_at"] <= 40
        alices.bring(callback)
        assert "Paid. Thank you" in alices.see(result_of(payment))
    finally:
        web.kill()
    assert_paid_once(payment)
    wrote = payment.events.get(now=Status.PAID).at - timezone.now()
    assert abs(wrote - off) < timedelta(minutes=2), "its clock was off indeed"


def test_a_clock_that_jumps_back_changes_neither_order_nor_lease(bank, alice_client, invoice, monkeypatch):
    right, jumps = timezone.now, iter(range(1, 10_000))
    back = lambda: right() - timedelta(minutes=next(jumps))  # noqa: E731
    monkeypatch.setattr(timezone, "now", back)
    monkeypatch.setattr(PaymentEvent._meta.get_field("at"), "_get_default", back)
    payment = start(invoice, "mellat")
    bank.next("mellat", "verify", "500")
    callback = bank.pay("mellat", payment.token)
    bring(callback)
    assert fresh(payment).lease_until is None
    minutes_ago(payment, 3)
    assert reconcile() == {"paid": 1}
    monkeypatch.undo()
    steps = list(payment.events.all())
    assert [e.at for e in steps] == sorted((e.at for e in steps), reverse=True), "by the clock the last came first"
    assert [e.was for e in steps[1:]] == [e.now for e in steps[:-1]]
    assert [e.now for e in steps] == ["new", "sent", "verifying", "unsettled", "paid"]
