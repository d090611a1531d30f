"""Whatever customers, banks, staff and crashes do, and in which order: our books and the banks' agree to the Rial.

`BOOKS_EXAMPLES=500` in the environment looks further, elsewhere each time, and shrinks what it finds.
"""

import contextlib
import itertools
import os
import re
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from django.db.models import F, Sum
from django.db.models.functions import Coalesce, Now
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from accounts.models import Customer
from billing import flows
from billing.flows import BadStatement, CannotBook, CannotCancel, CannotGiveBack, CannotPay
from billing.flows.statements import BY_FILE
from billing.forms import new_form_token
from billing.gateways import wire
from billing.models import GatewayAccount, Invoice, LedgerEntry, Order, Payment, PaymentEvent, Plan, Refund, Service
from billing.models.steps import ForbiddenMove
from notifications.models import Event
from tests.base import make_customer
from tests.billing.base import BY_RECEIPT, CLAIMED, NOT_REVERSED, REVERSIBLE, SLUGS, bring, fresh, settlement_file
from tests.billing.faults import PLACES, dying
from tests.world_client import Callback, World

Status, Kind, Note = Payment.Status, LedgerEntry.Kind, PaymentEvent.Note
LOOKS_FURTHER = "BOOKS_EXAMPLES" in os.environ
SETTINGS = settings(
    max_examples=int(os.environ.get("BOOKS_EXAMPLES", 20)),
    stateful_step_count=int(os.environ.get("BOOKS_STEPS", 50)),
    derandomize=not LOOKS_FURTHER,
    database=None,
    deadline=None,
    # To shrink takes minutes.
    phases=[Phase.generate, Phase.shrink] if LOOKS_FURTHER else [Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
ORDERS_AT_MOST = 8  # of one run
# Nobody has said the last word on these, so neither side counts them.
OPEN = (Status.VERIFYING, Status.UNKNOWN, Status.SUSPECT, Status.REVERSING)
OURS = (Status.UNSETTLED, Status.PAID, Status.UNAPPLIED)
OURS_AT_THE_BANK = ("verified", "settled")
SAYS_THE_AMOUNT = ("sep", "sadad", "zibal")  # in the answer that takes it
PRESSES = ("pay", "pay", "pay-and-close", "cancel", "fail", "")
TROUBLES = ("500", "html", "truncated", "refuse", "timeout", "timeout_after_commit", "another amount")
HAPPENS = {  # and how often
    "pays_and_comes_back": 5,
    "goes_to_the_bank": 2,
    "comes_back": 3,
    "presses_at_the_bank": 1,
    "claims_success": 1,
    "brings_anothers_callback": 1,
    "orders_something": 2,
    "cancels": 1,
    "pays_from_credit": 2,
    "has_trouble_ahead": 1,
    "has_trouble_giving_back": 1,
    "has_trouble_transferring": 1,
    "time_passes": 2,
    "the_sweep_runs": 3,
    "we_take_a_paid_order_back": 1,
    "we_take_back_and_give_back": 2,
    "we_keep_it_as_credit": 2,
    "we_give_it_back": 2,
    "one_of_us_asks_for_a_refund": 2,
    "one_of_us_decides": 2,
    "one_of_us_transfers_it": 1,
    "a_bank_never_answers": 1,
    "we_book_by_a_banks_file": 2,
}
numbers = itertools.count(1)


def attempted(work: Callable[[], object]) -> None:
    """Refused in words, or too late: both are answers."""
    with contextlib.suppress(CannotPay, CannotCancel, CannotGiveBack, CannotBook, ForbiddenMove):
        work()


def _one(chance: Random, rows: list, *likely: str) -> Any:
    """Any of them, but rather one that is in such a status; None of none."""
    fit = [row for row in rows if row.status in likely]
    return chance.choice(fit if fit and chance.random() < 0.8 else rows) if rows else None


def perhaps_dying(chance: Random) -> contextlib.AbstractContextManager[None]:
    """Four in ten processes end before they are done, most of them between two transactions."""
    if chance.random() >= 0.4:
        return contextlib.nullcontext()
    (place,) = chance.choices(PLACES, (4, 1, 1))
    return dying(place, chance.randint(1, 5 if place == "transaction" else 2))


class Books(RuleBasedStateMachine):
    """Two customers, two of us, the banks. Anything may be tried at any time; what makes no sense does nothing."""

    met: Counter[str] = Counter()
    booked: set[int] = set()  # by a bank's file

    def __init__(self, bank: World, plans: list[Plan], staff: list[Customer]) -> None:
        super().__init__()
        self.bank, self.plans, self.staff = bank, plans, staff
        self.bank.reset()
        GatewayAccount.objects.all().delete()
        number = next(numbers)
        self.customers = [
            make_customer(f"{name}{number}@example.com", f"+98912{place}{number:06d}")
            for place, name in enumerate(("alice", "bob"))
        ]
        self.orders: list[Order] = []
        self.callbacks: dict[int, Callback] = {}
        self.dealt: Counter[int] = Counter()
        self.gateways: list[str] = []
        self.planned = 0  # troubles
        self.is_sound = True
        self.orders_something(Random(0))

    # Hypothesis deals the dice and takes steps away again; left to itself it would mostly repeat what is simple.
    @rule(die=st.integers(0, 2**32))
    def something_happens(self, die: int) -> None:
        self.dealt[die] += 1
        chance = Random(f"{die} {self.dealt[die]}")
        # Few banks in one run, one of which gives back: so what happens at a bank meets what happened there before.
        self.gateways = self.gateways or [chance.choice(REVERSIBLE), *chance.sample(SLUGS, 2)]
        (name,) = chance.choices(list(HAPPENS), HAPPENS.values())
        note(name)
        getattr(self, name)(chance)

    # --- what customers do ---

    def orders_something(self, chance: Random) -> None:
        if len(self.orders) < ORDERS_AT_MOST:
            customer, plan = chance.choice(self.customers), chance.choice(self.plans)
            form_token = new_form_token()
            self.orders.append(flows.place_order(customer=customer, plan=plan, option=None, form_token=form_token))

    def pays_and_comes_back(self, chance: Random) -> None:
        payment = self._goes(chance, "pay")
        if payment and payment.pk in self.callbacks:
            if chance.random() < 0.7:
                self._plan_trouble(chance, payment.gateway, "verify")
            with perhaps_dying(chance):
                bring(self.callbacks[payment.pk])

    def goes_to_the_bank(self, chance: Random) -> None:
        with perhaps_dying(chance):
            self._goes(chance, chance.choice(PRESSES))

    def comes_back(self, chance: Random) -> None:
        payment = self._attempt(chance, *Payment.OPEN, *Payment.UNANSWERED)
        for _ in range(chance.choice([1, 2]) if payment and payment.pk in self.callbacks else 0):
            with perhaps_dying(chance):
                bring(self.callbacks[payment.pk])

    def presses_at_the_bank(self, chance: Random) -> None:
        self._press(self._attempt(chance, Status.SENT, Status.EXPIRED), chance.choice(PRESSES))

    def claims_success(self, chance: Random) -> None:
        payment = self._attempt(chance, *Payment.OPEN)
        if payment and payment.pk in self.callbacks:
            bring(self.callbacks[payment.pk], **CLAIMED[payment.gateway])

    def brings_anothers_callback(self, chance: Random) -> None:
        payment = self._attempt(chance, *Payment.OPEN)
        if payment and payment.pk in self.callbacks:
            callback, other = self.callbacks[payment.pk], chance.choice(list(self.callbacks.values()))
            bring(Callback(callback.method, callback.url, other.fields))

    def cancels(self, chance: Random) -> None:
        if order := self._order(chance, Order.Status.PLACED):
            attempted(lambda: flows.cancel_order(order=order))

    def pays_from_credit(self, chance: Random) -> None:
        if order := self._order(chance, Order.Status.PLACED):
            attempted(lambda: flows.use_credit(invoice=order.invoices.get()))

    # --- what banks and time do ---

    def has_trouble_ahead(self, chance: Random) -> None:
        self._plan_trouble(chance, chance.choice(self.gateways), "verify")

    def has_trouble_giving_back(self, chance: Random) -> None:
        gateway = chance.choice([slug for slug in self.gateways if slug in REVERSIBLE])
        if chance.random() < 0.5:
            self.planned += 1
            self.bank.next(gateway, "reverse", {"code": NOT_REVERSED[gateway]})
        else:
            self._plan_trouble(chance, gateway, "reverse")

    def has_trouble_transferring(self, chance: Random) -> None:
        self._plan_trouble(chance, "mellat", "settle")

    def a_bank_never_answers(self, chance: Random) -> None:
        """It takes the money, loses its answer, and says nothing either when it is asked again much later."""
        payment = self._goes(chance, "pay", *[slug for slug in self.gateways if slug in BY_RECEIPT])
        if payment and payment.pk in self.callbacks:
            self.planned += 2
            self.bank.next(payment.gateway, "verify", "timeout_after_commit", "500")
            bring(self.callbacks[payment.pk])
            self._let_pass(31)
            self.the_sweep_runs(chance)

    def time_passes(self, chance: Random) -> None:
        self._let_pass(chance.choice([1, 3, 5, 11, 16, 31]))

    def _let_pass(self, minutes: int) -> None:
        self.bank.clock(minutes * 60)
        times = ("created_at", "next_try_at", "verify_deadline", "lease_until", "bank_time")
        self._payments().update(**{name: F(name) - timedelta(minutes=minutes) for name in times})
        GatewayAccount.objects.update(down_until=F("down_until") - timedelta(minutes=minutes))

    def the_sweep_runs(self, chance: Random) -> None:
        self._make_due(self._payments().exclude(next_try_at=None))
        with perhaps_dying(chance):
            flows.reconcile()

    # --- what we do ---

    def we_take_a_paid_order_back(self, chance: Random) -> None:
        if order := self._order(chance, Order.Status.PAID):
            attempted(lambda: flows.cancel_paid_order(order=order))

    def we_take_back_and_give_back(self, chance: Random) -> None:
        self.we_take_a_paid_order_back(chance)
        self.we_give_it_back(chance)

    def we_keep_it_as_credit(self, chance: Random) -> None:
        if payment := self._attempt(chance, Status.UNAPPLIED):
            attempted(lambda: flows.keep_as_credit(payment=payment))

    def we_give_it_back(self, chance: Random) -> None:
        if payment := self._attempt(chance, Status.UNAPPLIED, Status.PAID):
            with perhaps_dying(chance):
                attempted(lambda: flows.give_back(payment=payment))

    def one_of_us_asks_for_a_refund(self, chance: Random) -> None:
        if chance.random() < 0.6:
            self.we_take_a_paid_order_back(chance)
        if payment := self._attempt(chance, Status.PAID):
            amount, by = payment.amount // chance.choice([1, 2]), chance.choice(self.staff)
            why = Refund.Why.ASKED_FOR
            attempted(lambda: flows.ask_for_refund(payment=payment, amount=amount, why=why, by=by))

    def one_of_us_decides(self, chance: Random) -> None:
        if refund := _one(chance, list(self._refunds()), Refund.Status.ASKED):
            decide = chance.choice([flows.agree_to_refund, flows.refuse_refund])
            for by in chance.sample(self.staff, 2):  # one of the two has asked, and is told no
                attempted(lambda by=by: decide(refund=refund, by=by))

    def one_of_us_transfers_it(self, chance: Random) -> None:
        if refund := _one(chance, list(self._refunds()), Refund.Status.AGREED):
            attempted(lambda: flows.finish_refund(refund=refund, bank_reference="transfer"))

    def we_book_by_a_banks_file(self, chance: Random) -> None:
        """Of one of the days that are in it; a file that came before is the same import again."""
        gateway = chance.choice(self.gateways)
        content = settlement_file(self.bank, gateway)
        days = sorted({date.fromisoformat(day) for day in re.findall(r"\d{4}-\d\d-\d\d", content.decode())})
        if not days:
            return
        importer, colleague = chance.sample(self.staff, 2)
        with contextlib.suppress(BadStatement):  # it came before, for another of its days
            statement = flows.import_statement(gateway=gateway, day=chance.choice(days), content=content, by=importer)
            for line in statement.lines.all():
                for by in (importer, colleague):  # one of the two has imported it, and is told no
                    with perhaps_dying(chance):
                        attempted(lambda line=line, by=by: flows.book_by_statement(line=line, by=by))

    # --- how it is done ---

    def _payments(self) -> Any:
        return Payment.objects.filter(invoice__customer__in=self.customers)

    def _refunds(self) -> Any:
        return Refund.objects.filter(payment__invoice__customer__in=self.customers).order_by("pk")

    def _make_due(self, payments: Any) -> None:
        """Each at its own time, so that the sweep takes them in one order however often this run is repeated."""
        for place, payment in enumerate(payments.order_by("pk")):
            due = Now() - timedelta(seconds=60 - place)
            Payment.objects.filter(pk=payment.pk).update(next_try_at=due, lease_until=None)

    def _order(self, chance: Random, *likely: str) -> Any:
        return _one(chance, [fresh(order) for order in self.orders], *likely)

    def _attempt(self, chance: Random, *likely: str) -> Any:
        return _one(chance, list(self._payments().order_by("pk")), *likely)

    def _goes(self, chance: Random, press: str, *gateways: str) -> Payment | None:
        if all(fresh(order).status != Order.Status.PLACED for order in self.orders):
            self.orders_something(chance)
        invoice, form_token = self._order(chance, Order.Status.PLACED).invoices.get(), new_form_token()
        how = {
            "gateway": chance.choice(gateways or self.gateways),
            "amount": chance.choice([None, None, invoice.due // 2]),
        }
        attempted(lambda: flows.start_payment(invoice=invoice, form_token=form_token, **how))
        payment = invoice.payments.filter(form_token=form_token).first()
        self._press(payment, press)
        return payment

    def _press(self, payment: Payment | None, press: str) -> None:
        if payment and payment.token and press and payment.pk not in self.callbacks:
            with contextlib.suppress(RuntimeError):  # the bank has ended it
                self.callbacks[payment.pk] = self.bank.pay(payment.gateway, payment.token, press)

    def _plan_trouble(self, chance: Random, gateway: str, op: str) -> None:
        trouble = chance.choice(TROUBLES)
        note(f"{gateway} {op}: {trouble}")
        self.planned += 1
        if trouble != "another amount":
            self.bank.next(gateway, op, trouble)
        elif op == "verify" and gateway in SAYS_THE_AMOUNT:
            self.bank.next(gateway, op, {"amount": 77_777})

    # --- what holds after each step ---

    @invariant()
    def balance(self) -> None:
        self.is_sound = False
        payments = list(self._payments().prefetch_related("events", "ledger"))
        self.met.update({payment.status for payment in payments})
        self.booked |= {event.payment_id for p in payments for event in p.events.all() if event.code == BY_FILE}
        self._the_banks_agree(payments)
        for payment in payments:
            self._went_step_by_step(payment)
            arrived = [entry for entry in payment.ledger.all() if entry.kind in (Kind.PAYMENT, Kind.CREDIT)]
            assert len(arrived) <= 1 and (arrived or not payment.is_received), payment.status
        receipts = [(payment.gateway, payment.receipt) for payment in payments if payment.receipt]
        assert len(receipts) == len(set(receipts))
        self._nothing_is_paid_too_much_or_too_little()
        self.is_sound = True

    def _the_banks_agree(self, payments: list[Payment]) -> None:
        theirs = {(row["gateway"], row["id"]): row for row in self.bank.ledger()}
        held = 0
        for payment in payments:
            row = theirs.pop((payment.gateway, payment.token), None)
            if row is None or payment.status in OPEN:
                continue
            is_held = row["state"] in OURS_AT_THE_BANK
            assert is_held == (payment.status in OURS), (
                f"{payment.gateway}: {payment.status} here, {row['state']} there"
            )
            if is_held:
                # What a bank says that it took is believed; the pretend one writes down what it was asked for.
                lied = any(event.note == Note.OTHER_AMOUNT for event in payment.events.all())
                assert lied or payment.taken == row["amount"] == payment.amount
                held += payment.taken if lied else row["amount"]
        assert not [row for row in theirs.values() if row["state"] in OURS_AT_THE_BANK], "money that we do not know of"
        ledger = LedgerEntry.objects.filter(customer__in=self.customers).total()
        set_aside = sum(payment.taken for payment in payments if payment.status == Status.UNAPPLIED)
        refunds = self._refunds().exclude(status=Refund.Status.REFUSED).aggregate(sum=Sum("amount"))["sum"] or 0
        assert ledger + set_aside + refunds == held, f"{ledger} + {set_aside} + {refunds} here, {held} at the banks"

    @staticmethod
    def _went_step_by_step(payment: Payment) -> None:
        steps = list(payment.events.all())
        assert [(e.was, e.now) for e in steps[:1]] == [("", Status.NEW)] and steps[-1].now == payment.status
        for before, after in itertools.pairwise(steps):
            assert after.was == before.now and after.now in Payment.NEXT[Status(after.was)]

    def _nothing_is_paid_too_much_or_too_little(self) -> None:
        invoices = Invoice.objects.filter(customer__in=self.customers).select_related("order__service")
        for invoice in invoices.annotate(arrived=Coalesce(Sum("ledger__amount"), 0)):
            received = invoice.arrived
            assert 0 <= received <= invoice.total
            assert (received == invoice.total) == (invoice.status == Invoice.Status.PAID), invoice.status
            assert received == 0 or invoice.status in (Invoice.Status.OPEN, Invoice.Status.PAID)
            paid = (invoice.status == Invoice.Status.PAID, invoice.order.status == Order.Status.PAID)
            assert paid == (invoice.order.service.status == Service.Status.ACTIVE,) * 2
        for customer in self.customers:
            assert LedgerEntry.objects.visible_to(customer).credit().total() >= 0

    # --- and when everybody has said what they know ---

    def teardown(self) -> None:
        try:
            if self.is_sound:
                self._settle_everything()
        finally:
            # The sweeps of the runs to come must not find these.
            self._payments().update(next_try_at=None)

    def _settle_everything(self) -> None:
        waiting = self._payments().filter(status__in=Payment.WAITING)
        for rest in range(self.planned, -1, -1):  # each round takes one of the troubles that may still be to come
            if not waiting.exists():
                break
            if rest == 0:
                self._let_pass(40)
            self._make_due(waiting)
            flows.reconcile()
            self.balance()
        for payment in waiting:
            # "Too late" after a lost answer says nothing, however often it is said. People see it.
            assert payment.status == Status.UNKNOWN and payment in Payment.objects.stuck(), payment.status
        self._everybody_was_told()

    def _everybody_was_told(self) -> None:
        told = Counter(Event.objects.filter(customer__in=self.customers).values_list("key", flat=True))
        for payment in self._payments().prefetch_related("ledger"):
            key = f"payment:{payment.order_number}"
            arrived = {entry.kind for entry in payment.ledger.all()}
            said = {message for message in SAYINGS if told[f"{message}:{key}"]}
            assert ("payment_received" in said) == (Kind.PAYMENT in arrived), said
            assert "credit_added" in said or Kind.CREDIT not in arrived, said
            assert ("payment_given_back" in said) == (payment.status == Status.REVERSED), said
            if payment.status == Status.UNAPPLIED and not arrived:
                assert "payment_not_applied" in said, said


SAYINGS = ("payment_received", "payment_not_applied", "payment_given_back", "credit_added")


@pytest.mark.django_db(transaction=True)
def test_whatever_happens_in_whichever_order_the_books_balance(bank, plan, monkeypatch):
    monkeypatch.setattr(wire, "TIMEOUT", (2, 0.4))
    monkeypatch.setattr(wire, "PATIENCE", 1)
    cheap = Plan.objects.create(slug="cheap", name_fa="ارزان", name_en="Cheap", monthly_price=300_000)
    staff = [
        make_customer(f"{n}@example.com", f"+98913000000{i}", is_staff=True) for i, n in enumerate(("carol", "dan"))
    ]
    Books.met.clear()
    Books.booked.clear()
    run_state_machine_as_test(lambda: Books(bank, [plan, cheap], staff), settings=SETTINGS)
    assert len(Books.met) > len(Status) / 2, f"they hardly came anywhere: {Books.met}"
    assert Books.booked, "no bank's file ever decided"
