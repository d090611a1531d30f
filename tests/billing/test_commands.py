"""What an operator types, and what the queue carries."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Company, Customer
from billing import tasks
from billing.models import Invoice, Order, Payment, Plan
from tests.billing.base import bring, due_now, fresh, minutes_ago, start


def run(*words, **options) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


def test_reconcile_finishes_and_says_so(bank, invoice):
    payment = start(invoice, "zarinpal")
    bank.pay("zarinpal", payment.token, "pay-and-close")
    minutes_ago(payment, 3)
    assert json.loads(run("reconcile_payments", json=True)) == {"looked_at": {"paid": 1}, "stuck": []}
    assert "looked at 0 payments" in run("reconcile_payments")


def test_reconcile_fails_loudly_when_a_person_is_needed(bank, invoice, capsys):
    payment = start(invoice, "sadad")
    bank.next("sadad", "verify", {"amount": 1})
    bring(bank.pay("sadad", payment.token))
    with pytest.raises(SystemExit) as end:
        run("reconcile_payments")
    assert end.value.code == 1


def test_an_unknown_past_its_deadline_is_reported(bank, invoice):
    payment = start(invoice, "zarinpal")
    bank.next("zarinpal", "verify", "500", "500")
    bring(bank.pay("zarinpal", payment.token))
    minutes_ago(payment, 31)
    due_now(payment)
    with pytest.raises(SystemExit):
        run("reconcile_payments", json=True)
    assert fresh(payment).status == Payment.Status.UNKNOWN


def test_a_payment_of_a_gateway_taken_out_is_reported_and_hinders_nobody(bank, invoice, settings, alice_client):
    payment = start(invoice, "zarinpal")
    bank.next("zarinpal", "verify", "500")
    bring(bank.pay("zarinpal", payment.token))
    minutes_ago(payment, 31)
    due_now(payment)
    settings.GATEWAY = {"sep": settings.GATEWAY["sep"]}
    settings.GATEWAYS = ["sep"]
    with pytest.raises(SystemExit):
        run("reconcile_payments", json=True)
    assert alice_client.get(f"/pay/{payment.public_id}/result/").status_code == 200
    assert alice_client.get(invoice.get_absolute_url()).status_code == 200


def test_the_tasks_do_the_same(bank, invoice, monkeypatch):
    monkeypatch.setattr(tasks.verify, "delay", tasks.verify)
    payment = start(invoice, "zarinpal")
    bank.pay("zarinpal", payment.token, "pay-and-close")
    tasks.reconcile()
    assert fresh(payment).status == Payment.Status.SENT
    minutes_ago(payment, 3)
    tasks.reconcile()
    tasks.reconcile()
    assert fresh(payment).status == Payment.Status.PAID
    tasks.forget_tokens()


def test_demo_loads_once(settings, db):
    settings.SITE_HOST = "127.0.0.1"
    signins = json.loads(run("demo", json=True, customers=3))["signins"]
    assert [signin["who"] for signin in signins] == ["staff", "staff", "customer", "customer", "customer"]
    counts = [model.objects.count() for model in (Customer, Company, Plan, Order, Invoice)]
    assert json.loads(run("demo", json=True, customers=3))["signins"] == signins
    assert counts == [model.objects.count() for model in (Customer, Company, Plan, Order, Invoice)] == [7, 2, 3, 3, 3]
    assert all(c.is_profile_complete for c in Customer.objects.filter(is_staff=False))


def test_demo_customers_can_sign_in(settings, db, client):
    settings.SITE_HOST = "127.0.0.1"
    signin = json.loads(run("demo", json=True))["signins"][2]
    answer = client.post("/accounts/login/", {"login": signin["email"], "password": signin["password"]})
    assert answer.status_code == 302 and answer.headers["Location"] == "/"


def test_demo_is_refused_on_a_public_address(settings, db):
    settings.SITE_HOST, settings.DEBUG = "portal.example.ir", False
    with pytest.raises(CommandError):
        run("demo")
    assert not Customer.objects.exists()
