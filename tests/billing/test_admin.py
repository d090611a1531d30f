"""Staff screens: the catalogue is edited, money is read."""

import pytest
from django.urls import reverse

from billing.models import Invoice, LedgerEntry, Order, Payment, PaymentEvent, Plan, Service
from notifications.models import Component
from tests.billing.base import bring, due_now, fresh, start
from tests.billing.test_inbox import staff

READ_ONLY = [Order, Invoice, Payment, LedgerEntry]


@pytest.fixture
def paid(bank, invoice) -> Payment:
    payment = start(invoice, "sep")
    bring(bank.pay("sep", payment.token))
    return fresh(payment)


def address(model, page="changelist", *args) -> str:
    return reverse(f"admin:billing_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", READ_ONLY)
def test_money_is_only_read(carol_client, paid, model):
    row = model.objects.get()
    assert carol_client.get(address(model)).status_code == 200
    assert carol_client.get(address(model), {"q": "1405"}).status_code == 200
    assert carol_client.get(address(model, "change", row.pk)).status_code == 200
    assert carol_client.get(address(model, "add")).status_code == 403
    assert carol_client.post(address(model, "change", row.pk), {"status": "x"}).status_code == 403
    assert carol_client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403


def test_of_a_service_staff_change_only_what_it_runs_on(carol_client, paid):
    service, hosting = Service.objects.get(), Component.objects.create(slug="hosting", name_fa="میزبانی", name_en="Web")
    assert "Web" in carol_client.get(address(Service, "change", service.pk)).content.decode()
    inline = {"events-TOTAL_FORMS": 0, "events-INITIAL_FORMS": 0}
    sent = {"status": "ended", "name_en": "x", "components": [hosting.pk], **inline}
    assert carol_client.post(address(Service, "change", service.pk), sent).status_code == 302
    after = Service.objects.get()
    assert (after.status, after.name_en) == (service.status, service.name_en)
    assert list(after.components.all()) == [hosting]
    assert carol_client.post(address(Service, "delete", service.pk), {"post": "yes"}).status_code == 403


def test_a_payments_life_is_explained(carol_client, paid):
    page = carol_client.get(address(Payment, "change", paid.pk)).content.decode()
    assert '<bdi dir="ltr">0</bdi> – Confirmed' in page and "Being checked" in page
    assert paid.receipt in page.replace("&#x2B;", "+")
    assert paid.token not in page
    persian = carol_client.get(address(Payment, "change", paid.pk), headers={"accept-language": "fa"})
    assert persian.status_code == 200


def test_the_catalogue_is_edited(carol_client, plan):
    fields = {"slug": "new", "name_fa": "نو", "name_en": "New", "about_fa": "-", "about_en": "-", "monthly_price": "5"}
    inline = {"options-TOTAL_FORMS": 0, "options-INITIAL_FORMS": 0}
    assert carol_client.post(address(Plan, "add"), fields | inline).status_code == 302
    assert Plan.objects.get(slug="new").monthly_price == 5


def test_staff_may_ask_the_bank_again(carol_client, bank, invoice):
    payment = start(invoice, "zarinpal")
    bank.next("zarinpal", "verify", "500")
    bring(bank.pay("zarinpal", payment.token))
    due_now(payment)
    act = {"action": "look_again", "_selected_action": [payment.pk]}
    page = carol_client.post(address(Payment), act, follow=True).content.decode()
    assert "1 payment was looked at again" in page and fresh(payment).status == Payment.Status.PAID
    page = carol_client.post(address(Payment), act, follow=True).content.decode()
    assert "these payments are over" in page and PaymentEvent.objects.filter(now="paid").count() == 1


def test_who_only_reads_has_no_such_action(paid):
    client = staff("dave", "view_payment")
    assert "look_again" not in client.get(address(Payment)).content.decode()


@pytest.mark.parametrize("kind", LedgerEntry.Kind.values)
def test_the_ledger_is_filtered_by_kind(carol_client, paid, kind):
    listed = carol_client.get(address(LedgerEntry), {"kind__exact": kind}).content.decode()
    assert (address(LedgerEntry, "change", paid.ledger.get().pk) in listed) is (kind == "payment")


def test_alice_cannot_enter(alice_client, paid):
    assert alice_client.get(address(Payment)).status_code == 302
