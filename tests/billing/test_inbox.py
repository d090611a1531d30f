"""What staff decide about money: the buttons of payments, refunds and orders, and who may press them."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from billing import flows
from billing.models import Invoice, LedgerEntry, Order, Payment, Refund, RefundEvent, Service
from tests.base import make_customer, show_second_factor
from tests.billing.base import books, bring, due_now, fresh, start

pytestmark = pytest.mark.django_db
FASTER = "A colleague was faster"


def staff(name: str, *rights: str) -> Client:
    """Somebody of the staff who holds exactly these rights of this room."""
    number = sum(name.encode())
    person = make_customer(f"{name}@example.com", f"+98912111{number:04d}", language="en", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(content_type__app_label="billing", codename__in=rights))
    client = Client(headers={"accept-language": "en"})
    client.force_login(person)
    show_second_factor(client, person)
    return client


@pytest.fixture
def dave(db) -> Client:
    """Reads all of it and may press nothing."""
    return staff("dave", "view_payment", "view_refund", "view_order", "view_invoice")


@pytest.fixture
def erin(db) -> Client:
    """Carol's colleague."""
    return staff("erin", "change_payment", "change_refund", "change_order", "view_invoice")


@pytest.fixture
def paid(bank, invoice) -> Payment:
    payment = start(invoice, "sep")
    bring(bank.pay("sep", payment.token))
    return fresh(payment)


@pytest.fixture
def unapplied(bank, invoice) -> Payment:
    """The bank took a Rial less than was asked for, and would not give it back by itself."""
    payment = start(invoice, "sep")
    callback = bank.pay("sep", payment.token)
    bank.next("sep", "verify", {"amount": invoice.total - 1})
    bank.next("sep", "reverse", {"code": -2})
    bring(callback)
    assert (fresh(payment).status, fresh(payment).taken) == (Payment.Status.UNAPPLIED, invoice.total - 1)
    return fresh(payment)


@pytest.fixture
def suspect(bank, invoice) -> Payment:
    """Somebody says that another attempt's token was paid."""
    payment = start(invoice, "zarinpal")
    bring(bank.pay("zarinpal", payment.token), Authority="S" + "0" * 35)
    assert fresh(payment).status == Payment.Status.SUSPECT
    return fresh(payment)


@pytest.fixture
def freed(paid) -> Payment:
    """What was paid is the customer's credit again."""
    flows.cancel_paid_order(order=paid.invoice.order)
    return fresh(paid)


@pytest.fixture
def refund(freed, carol) -> Refund:
    return flows.ask_for_refund(payment=freed, amount=freed.amount, why="taken_back", by=carol)


def page(row, name: str = "change") -> str:
    return reverse(f"admin:billing_{row._meta.model_name}_{name}", args=[row.pk])


def press(client: Client, row, name: str, **typed) -> str:
    """What the row's page says afterwards."""
    return client.post(page(row, name), typed, follow=True).content.decode()


def credit(row) -> int:
    return LedgerEntry.objects.visible_to(row.invoice.customer).credit().total()


# --- who may, and how -------------------------------------------------------------------------------------------------

BUTTONS = [
    ("unapplied", "look_again"),
    ("unapplied", "keep_as_credit"),
    ("unapplied", "give_back"),
    ("freed", "ask_for_refund"),
    ("suspect", "dismiss"),
    ("refund", "agree"),
    ("refund", "refuse"),
    ("refund", "finish"),
]
EVERY_BUTTON = pytest.mark.parametrize(("row", "button"), BUTTONS)


def all_that_can_change() -> list[object]:
    rows = [list(model.objects.order_by("pk").values()) for model in (Payment, Refund, Order, Invoice, Service)]
    return [*rows, LedgerEntry.objects.count()]


@EVERY_BUTTON
def test_who_only_reads_presses_nothing(request, dave, row, button):
    row = request.getfixturevalue(row)
    before = all_that_can_change()
    shown = dave.get(page(row))
    assert shown.status_code == 200 and page(row, button) not in shown.content.decode()
    assert dave.get(page(row, button)).status_code == 403
    assert dave.post(page(row, button), {"amount": 1, "why": "asked_for", "bank_reference": "1"}).status_code == 403
    assert all_that_can_change() == before


@EVERY_BUTTON
def test_looking_at_a_button_does_nothing(request, erin, row, button):
    row = request.getfixturevalue(row)
    before = all_that_can_change()
    assert erin.get(page(row, button)).status_code in (200, 302, 405)
    assert all_that_can_change() == before


def test_a_form_from_elsewhere_is_refused(erin, unapplied):
    client = Client(enforce_csrf_checks=True)
    client.cookies = erin.cookies
    assert client.post(page(unapplied, "keep_as_credit")).status_code == 403
    assert fresh(unapplied).status == Payment.Status.UNAPPLIED


def test_alice_cannot_press(alice_client, unapplied):
    assert alice_client.post(page(unapplied, "keep_as_credit")).status_code == 302
    assert fresh(unapplied).status == Payment.Status.UNAPPLIED


def test_a_payment_that_never_was_is_not_found(erin):
    assert erin.post("/admin/billing/payment/987654/keep_as_credit/").status_code == 404


# --- the bank is asked again ------------------------------------------------------------------------------------------


def test_the_bank_is_asked_again_by_one_press(erin, bank, invoice):
    payment = start(invoice, "zarinpal")
    bank.next("zarinpal", "verify", "500")
    bring(bank.pay("zarinpal", payment.token))
    due_now(payment)
    assert f'action="{page(payment, "look_again")}"' in erin.get(page(payment)).content.decode()
    assert erin.get(page(payment, "look_again")).status_code == 405
    assert "It stands at: Paid." in press(erin, payment, "look_again")
    assert FASTER in press(erin, payment, "look_again")
    assert [event.now for event in payment.events.all()].count("paid") == 1


def test_nobody_asks_a_bank_that_is_not_configured(erin, bank, invoice, settings):
    payment = start(invoice, "zarinpal")
    settings.GATEWAY = {}
    assert page(payment, "look_again") not in erin.get(page(payment)).content.decode()
    assert FASTER in press(erin, payment, "look_again")


# --- money that was taken, and not applied ----------------------------------------------------------------------------


def test_the_inbox_lists_what_waits_for_a_decision(erin, unapplied):
    listed = erin.get(reverse("admin:billing_payment_changelist"), {"queue": "inbox"}).content.decode()
    assert str(unapplied.order_number) in listed and "The bank took 1,100,005 Rial" in listed
    for queue, count in (("stuck", 1), ("unanswered", 0)):
        listed = erin.get(reverse("admin:billing_payment_changelist"), {"queue": queue}).content.decode()
        assert listed.count(page(unapplied)) == count


def test_the_filter_finds_what_the_bank_has_not_answered(erin, bank, invoice):
    payment = start(invoice, "zarinpal")
    address = reverse("admin:billing_payment_changelist")
    assert page(payment) not in erin.get(address, {"queue": "unanswered"}).content.decode()
    bank.next("zarinpal", "verify", "500")
    bring(bank.pay("zarinpal", payment.token))
    asked = {"queue": "unanswered", "gateway": "zarinpal"}
    assert page(payment) in erin.get(address, asked).content.decode()
    assert page(payment) not in erin.get(address, asked | {"gateway": "sep"}).content.decode()


def test_it_is_kept_as_the_customers_credit_once(erin, unapplied):
    shown = erin.get(page(unapplied)).content.decode()
    assert "first keep it as the customer" in shown and page(unapplied, "ask_for_refund") not in shown
    assert "Kept as the customer" in press(erin, unapplied, "keep_as_credit")
    assert fresh(unapplied).status == Payment.Status.PAID and credit(unapplied) == unapplied.taken
    assert "1,100,005 Rial" in erin.get(page(unapplied)).content.decode()
    assert FASTER in press(erin, unapplied, "keep_as_credit")
    assert credit(unapplied) == unapplied.taken


def test_the_gateway_gives_back_what_was_not_applied(erin, bank, unapplied):
    shown = press(erin, unapplied, "give_back")
    assert "It stands at: Given back." in shown
    assert books(bank, "sep") == {unapplied.token: "reversed"}
    assert FASTER in press(erin, unapplied, "give_back")
    assert FASTER in press(erin, unapplied, "keep_as_credit")
    assert credit(unapplied) == 0


def test_the_gateway_gives_back_what_was_paid_once_it_is_credit(erin, bank, paid):
    assert page(paid, "give_back") not in erin.get(page(paid)).content.decode()
    flows.cancel_paid_order(order=paid.invoice.order)
    assert page(paid, "give_back") in erin.get(page(paid)).content.decode()
    assert "It stands at: Given back." in press(erin, paid, "give_back")
    assert (fresh(paid).status, credit(paid)) == (Payment.Status.REVERSED, 0)


def test_what_the_gateway_gives_back_is_what_the_bank_took_and_not_what_was_asked_for(erin, bank, unapplied):
    """A Rial less was taken than was asked for, and all of it lies in the credit."""
    press(erin, unapplied, "keep_as_credit")
    assert credit(unapplied) == unapplied.taken == unapplied.amount - 1
    assert page(unapplied, "give_back") in erin.get(page(unapplied)).content.decode()
    assert "It stands at: Given back." in press(erin, unapplied, "give_back")
    assert credit(unapplied) == 0 and books(bank, "sep") == {unapplied.token: "reversed"}


def test_the_gateway_gives_nothing_back_while_some_of_what_the_bank_took_is_spent(erin, bank, alice, plan, invoice):
    """As much lies in the credit as was asked for, but the bank took more, and gives back all or nothing."""
    payment = start(invoice, "sep")
    callback = bank.pay("sep", payment.token)
    bank.next("sep", "verify", {"amount": invoice.total + 5})
    bank.next("sep", "reverse", {"code": -2})
    bring(callback)
    press(erin, payment, "keep_as_credit")
    other = flows.place_order(customer=alice, plan=plan, option=None, form_token="o" * 20).invoices.get()
    LedgerEntry.move(alice.pk, LedgerEntry.Kind.USED, 5, source=None, target=other)
    assert credit(payment) == payment.amount < fresh(payment).taken
    assert page(payment, "give_back") not in erin.get(page(payment)).content.decode()
    assert FASTER in press(erin, payment, "give_back") and credit(payment) == payment.amount


def test_where_the_gateway_is_too_late_the_page_says_so(erin, unapplied, monkeypatch):
    monkeypatch.setattr("billing.flows.can_reverse", lambda payment: False)
    assert "cannot give it back any more" in erin.get(page(unapplied)).content.decode()
    assert "time for giving back is over" in press(erin, unapplied, "give_back")


def test_nothing_was_taken(erin, suspect):
    asked = erin.get(page(suspect, "dismiss")).content.decode()
    assert "You have looked at the bank" in asked
    assert "nothing was taken for us" in press(erin, suspect, "dismiss")
    assert fresh(suspect).status == Payment.Status.NOT_WANTED
    assert FASTER in press(erin, suspect, "dismiss")


@pytest.mark.parametrize("colleague", [flows.give_back, flows.keep_as_credit])
def test_a_colleague_between_the_look_and_the_press_is_no_error(erin, unapplied, monkeypatch, colleague):
    slow = flows.keep_as_credit

    def meanwhile(*, payment):
        assert colleague(payment=payment)
        return slow(payment=payment)

    monkeypatch.setattr("billing.flows.keep_as_credit", meanwhile)
    assert FASTER in press(erin, unapplied, "keep_as_credit")
    assert LedgerEntry.objects.count() == (colleague is slow)


# --- by two people at the bank ----------------------------------------------------------------------------------------


def test_a_refund_is_asked_for_with_what_lies_in_the_credit(carol_client, freed, carol):
    asked = carol_client.get(page(freed, "ask_for_refund")).content.decode()
    assert f'value="{freed.amount}"' in asked and "A colleague has to" in asked
    shown = press(carol_client, freed, "ask_for_refund", amount=1_000, why="asked_for")
    refund = Refund.objects.get()
    assert "A colleague has to agree now" in shown and page(refund) in shown
    assert (refund.amount, refund.why, refund.asked_by) == (1_000, "asked_for", carol)
    assert credit(freed) == freed.amount - 1_000


def test_more_than_lies_in_the_credit_is_refused_in_words(carol_client, freed):
    shown = press(carol_client, freed, "ask_for_refund", amount=freed.amount + 1, why="asked_for")
    assert "So much of this payment is not in the customer" in shown and not Refund.objects.exists()
    for amount in ("", "0", "-5", "a lot"):
        assert 'role="alert"' in press(carol_client, freed, "ask_for_refund", amount=amount, why="asked_for")
    assert not Refund.objects.exists()


def test_a_second_refund_of_the_same_money_comes_too_late(carol_client, erin, refund):
    assert FASTER in press(erin, refund.payment, "ask_for_refund", amount=refund.amount, why="asked_for")
    assert Refund.objects.count() == 1


def test_one_person_cannot_do_both(carol_client, refund):
    shown = carol_client.get(page(refund)).content.decode()
    assert "a colleague has to decide on it" in shown
    for button in ("agree", "refuse"):
        assert page(refund, button) not in shown
        assert "Who asked for a refund cannot decide on it" in press(carol_client, refund, button)
    assert fresh(refund).status == Refund.Status.ASKED and RefundEvent.objects.count() == 1


def test_two_people_give_money_back(carol_client, erin, refund):
    assert page(refund, "finish") not in erin.get(page(refund)).content.decode()
    assert "It can be given back at the bank now" in press(erin, refund, "agree")
    assert FASTER in press(erin, refund, "agree")
    assert FASTER in press(erin, refund, "refuse")
    shown = press(carol_client, refund, "finish", bank_reference=" ")
    assert 'role="alert"' in shown and fresh(refund).status == Refund.Status.AGREED
    assert "Written down" in press(carol_client, refund, "finish", bank_reference="TR-7788")
    assert (fresh(refund).status, fresh(refund).bank_reference) == (Refund.Status.DONE, "TR-7788")
    assert FASTER in press(erin, refund, "finish", bank_reference="TR-9999")
    assert fresh(refund).bank_reference == "TR-7788" and credit(refund.payment) == 0


def test_a_refused_refund_is_credit_again(erin, refund):
    assert credit(refund.payment) == 0
    assert "credit again" in press(erin, refund, "refuse")
    assert FASTER in press(erin, refund, "refuse")
    assert credit(refund.payment) == refund.amount


def test_the_list_of_refunds_says_who_waits_since_when(erin, refund):
    listed = erin.get(reverse("admin:billing_refund_changelist")).content.decode()
    assert "Waits for a second person" in listed and "1,100,006 Rial" in listed and "0\xa0minutes" in listed
    assert refund.asked_by.ref in listed and refund.payment.invoice.customer.ref in listed


# --- a paid order is cancelled ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("screen", ["order", "invoice"])
def test_a_paid_order_is_cancelled_and_becomes_credit(carol_client, paid, screen):
    invoice = paid.invoice
    row = invoice.order if screen == "order" else invoice
    asked = carol_client.get(page(row, "cancel_paid_order")).content.decode()
    assert "The service ends now" in asked and "credit" in asked
    assert fresh(invoice.order).status == Order.Status.PAID
    assert "Cancelled: the service has ended" in press(carol_client, row, "cancel_paid_order")
    assert fresh(invoice.order).status == Order.Status.CANCELLED
    assert Service.objects.get().status == Service.Status.ENDED and credit(paid) == paid.amount
    assert FASTER in press(carol_client, row, "cancel_paid_order")
    assert credit(paid) == paid.amount


@pytest.mark.parametrize("screen", ["order", "invoice"])
def test_who_may_not_change_orders_cancels_none(dave, paid, screen):
    row = paid.invoice.order if screen == "order" else paid.invoice
    assert dave.post(page(row, "cancel_paid_order")).status_code == 403
    assert fresh(paid.invoice.order).status == Order.Status.PAID


def test_an_unpaid_order_has_no_such_button(erin, invoice):
    assert page(invoice.order, "cancel_paid_order") not in erin.get(page(invoice.order)).content.decode()
    assert FASTER in press(erin, invoice.order, "cancel_paid_order")
    assert fresh(invoice.order).status == Order.Status.PLACED


def test_while_a_payment_is_checked_the_reason_is_said(erin, bank, paid):
    Payment.objects.filter(pk=paid.pk).update(status=Payment.Status.UNKNOWN)
    shown = press(erin, paid.invoice.order, "cancel_paid_order")
    assert "Please wait for the bank" in shown and fresh(paid.invoice.order).status == Order.Status.PAID


def test_an_invoice_shows_what_arrived_and_what_is_due(erin, bank, invoice):
    shown = erin.get(page(invoice)).content.decode()
    assert "0 Rial" in shown and "1,100,006 Rial" in shown
    payment = flows.start_payment(invoice=invoice, gateway="sep", form_token="h" * 20, amount=600_000)
    bring(bank.pay("sep", payment.token))
    shown = erin.get(page(invoice)).content.decode()
    assert "600,000 Rial" in shown and "500,006 Rial" in shown
