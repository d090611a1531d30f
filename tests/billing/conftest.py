"""Something to order, a customer who may order it, the banks of the outside world, and a web that may be killed."""

from datetime import date

import pytest

from accounts.models import Customer
from billing.flows import place_order, reconcile
from billing.models import Invoice, Option, Payment, Plan, TaxRate
from tests.base import make_customer
from tests.billing.base import bring, complete_profile, due_now, fresh, minutes_ago, start
from tests.billing.faults import Web


@pytest.fixture(autouse=True)
def tax_rates(db):
    """A test that commits ends with empty tables, the migrated rates included."""
    for valid_from, hundredths in ((date(2008, 9, 22), 900), (date(2024, 3, 20), 1000)):
        TaxRate.objects.get_or_create(valid_from=valid_from, defaults={"hundredths": hundredths})


@pytest.fixture
def plan(db) -> Plan:
    return Plan.objects.create(
        slug="starter",
        name_fa="میزبانی",
        name_en="Starter hosting",
        about_fa="برای آغاز",
        about_en="To begin with",
        monthly_price=1_000_005,
    )


@pytest.fixture
def backup(plan) -> Option:
    return Option.objects.create(
        plan=plan, slug="backup", name_fa="پشتیبان", name_en="Daily backup", monthly_price=200_000
    )


@pytest.fixture
def alice(db) -> Customer:
    alice = make_customer("alice@example.com", "+989121110001", language="en")
    return complete_profile(alice)


@pytest.fixture
def invoice(alice, plan) -> Invoice:
    """What alice owes for the plan alone."""
    order = place_order(customer=alice, plan=plan, option=None, form_token="a" * 20)
    return order.invoices.get()


@pytest.fixture
def bank(world, settings):
    """The outside world with empty books; the gateways' addresses lead to it."""
    world.reset()
    settings.SITE_URL = "http://testserver"
    settings.GATEWAYS = list(settings.GATEWAY_CREDENTIALS)
    settings.GATEWAY = {
        slug: {"api_url": f"{world.url}/{slug}", "browser_url": f"{world.url}/{slug}", **credentials}
        for slug, credentials in settings.GATEWAY_CREDENTIALS.items()
    }
    yield world
    world.reset()


@pytest.fixture
def dave(db) -> Customer:
    """Staff without every right."""
    return make_customer("dave@example.com", "+989121110004", language="en", is_staff=True)


@pytest.fixture
def unanswered(bank, invoice, monkeypatch) -> Payment:
    """The bank has verified the money, its answer was lost, and half an hour later it refuses to say so again."""
    monkeypatch.setattr("billing.gateways.wire.TIMEOUT", (1, 0.5))
    payment = start(invoice, "sep")
    callback = bank.pay("sep", payment.token)
    bank.next("sep", "verify", "timeout_after_commit")
    bring(callback)
    bank.clock(31 * 60)
    minutes_ago(payment, 31)
    due_now(payment)
    assert reconcile() == {"unknown": 1}
    return fresh(payment)


@pytest.fixture
def impatient(monkeypatch) -> None:
    monkeypatch.setattr("billing.gateways.wire.TIMEOUT", (1, 0.4))
    monkeypatch.setattr("billing.gateways.wire.PATIENCE", 1)


@pytest.fixture(scope="module")
def webs(world, tmp_path_factory):
    """The one web of these tests; whoever kills it gets the next one started."""
    web = Web(world, tmp_path_factory.mktemp("web"))
    yield web
    web.kill()


@pytest.fixture
def web(transactional_db, webs) -> Web:
    return webs if webs.is_running else webs.start()
