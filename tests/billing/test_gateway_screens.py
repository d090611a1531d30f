"""The operators' screen: which gateway works, what it owes, what came in by it, and what staff may set."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Customer
from billing import flows
from billing.admin import figures
from billing.models import GatewayAccount, Payment
from tests.billing.base import bring, fresh, minutes_ago, start
from tests.billing.test_inbox import staff, suspect, unapplied  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
SCREEN = "/admin/billing/gatewayaccount/"


@pytest.fixture
def dave(db):
    return staff("dave", "view_gatewayaccount")


@pytest.fixture
def erin(db):
    return staff("erin", "change_gatewayaccount")


def row_of(html: str, name: str, table: int) -> str:
    """One gateway's row of the screen's first, second or third table."""
    rows = [part.split("</tr>")[0] for part in html.split("<tr>") if f'<th scope="row">{name}</th>' in part]
    return rows[table]


def shown(client) -> str:
    return client.get(SCREEN).content.decode()


# --- how they fare ----------------------------------------------------------------------------------------------------


def test_every_configured_gateway_is_shown_and_looking_makes_no_row(dave, bank, settings):
    html = shown(dave)
    assert html.count('<th scope="row">') == 3 * len(settings.GATEWAYS)
    assert html.count('class="staff-health staff-ok"') == len(settings.GATEWAYS)
    assert not GatewayAccount.objects.exists()


def test_a_broken_gateway_is_out_of_the_choice_until_a_time(dave, bank, invoice):
    bank.next("zarinpal", "start", "500", "500", "500")
    for _time in range(3):
        payment = flows.start_payment(invoice=invoice, gateway="zarinpal", form_token=f"{_time}" * 20)
        assert payment.status == Payment.Status.FAILED
    row = row_of(shown(dave), "Zarinpal", 0)
    assert "Out of the choice until" in row and ">3</td>" in row and "</bdi> – The bank had an error" in row
    GatewayAccount.objects.update(down_until=timezone.now() - timedelta(seconds=1))
    assert "Working" in row_of(shown(dave), "Zarinpal", 0)


def test_a_gateway_that_staff_switched_off_says_so(dave, bank):
    GatewayAccount.objects.create(slug="sadad", is_on=False, max_rial=5_000_000)
    row = row_of(shown(dave), "Sadad (Melli bank)", 0)
    assert "Switched off by staff" in row and "5,000,000 Rial" in row


def test_a_gateway_that_left_the_settings_is_still_accounted_for(dave, bank, invoice, settings):
    payment = start(invoice, "zarinpal")
    bank.next("zarinpal", "verify", "500")
    bring(bank.pay("zarinpal", payment.token))
    settings.GATEWAYS.remove("zarinpal")
    settings.GATEWAY.pop("zarinpal")
    html = shown(dave)
    assert "Not configured any more" in row_of(html, "zarinpal", 0) and ">1</td>" in row_of(html, "zarinpal", 2)


@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_screen_is_read_in_both_languages(erin, bank, language):
    response = erin.get(SCREEN, headers={"accept-language": language})
    assert response.status_code == 200 and f'lang="{language}"' in response.content.decode()
    assert "style=" not in response.content.decode().split('class="staff-tiles"')[1].split("</main>")[0]


# --- what came in -----------------------------------------------------------------------------------------------------


def test_todays_money_is_counted_by_the_day_here(dave, bank, invoice):
    payment = start(invoice, "sep")
    bring(bank.pay("sep", payment.token))
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    for moment, today in ((midnight, True), (midnight - timedelta(seconds=1), False)):
        Payment.objects.update(bank_time=moment)
        row = row_of(shown(dave), "Saman Electronic Payment", 1)
        assert row.count("1,100,006 Rial</td>") == 1 + today and ('width="1000" height="10"/></svg>' in row) is today
    Payment.objects.update(bank_time=midnight - timedelta(days=6, seconds=1))
    assert "1,100,006 Rial" not in row_of(shown(dave), "Saman Electronic Payment", 1)


def test_a_sparkline_says_its_days_in_words(dave, bank, invoice):
    payment = start(invoice, "sep")
    bring(bank.pay("sep", payment.token))
    row = row_of(shown(dave), "Saman Electronic Payment", 1)
    assert row.count("Rial;") == figures.DAYS - 1 and 'role="img"' in row and row.count('width="8"') == figures.DAYS


def test_what_was_given_back_is_not_counted(dave, bank, invoice):
    payment = start(invoice, "sep")
    bring(bank.pay("sep", payment.token))
    flows.cancel_paid_order(order=invoice.order)
    assert flows.give_back(payment=payment)
    assert "1,100,006 Rial" not in shown(dave)


# --- what waits -------------------------------------------------------------------------------------------------------


def test_unanswered_payments_are_told_by_age(dave, bank, invoice):
    payment = start(invoice, "zarinpal")
    bank.next("zarinpal", "verify", "500")
    bring(bank.pay("zarinpal", payment.token))
    for minutes, cells in ((0, "1000"), (6, "0100"), (60, "0010"), (24 * 60, "0001")):
        minutes_ago(payment, minutes)
        row = row_of(shown(dave), "Zarinpal", 2)
        found = [cell.split("</td>")[0] for cell in row.split('<td class="staff-sum">')[1:]]
        assert ["1" if ">1<" in f">{cell}<" else "0" for cell in found[:4]] == list(cells), minutes
    assert "queue=unanswered&amp;gateway=zarinpal" in row


def test_the_inbox_is_counted_and_summed(dave, unapplied):  # noqa: F811
    html = shown(dave).split("<section")[0]
    assert "1,100,005 Rial" in html and "queue=inbox" in html and html.count("staff-tile-open") == 1


def test_what_is_only_suspected_is_not_called_taken(dave, suspect):  # noqa: F811
    assert figures.inbox() == ((0, 0), (1, suspect.amount))
    assert "1,100,006 Rial asked for" in shown(dave)


def test_more_payments_take_no_more_queries(dave, bank, invoice, django_assert_max_num_queries):
    template = fresh(start(invoice, "sep"))
    made = []
    for n in range(40):
        template.pk, template.public_id, template.token = None, f"public-{n}", None
        template.form_token, template.order_number = f"form-{n}", 10**9 + n
        template.gateway = ("sep", "mellat", "zarinpal")[n % 3]
        template.status = ("verifying", "unknown", "unsettled", "paid")[n % 4]
        template.receipt, template.taken, template.bank_time = f"receipt-{n}", template.amount, timezone.now()
        made.append(Payment(**{f.attname: getattr(template, f.attname) for f in Payment._meta.concrete_fields}))
    Payment.objects.bulk_create(made)
    with django_assert_max_num_queries(10) as few:
        assert "verifying" not in shown(dave)
    blocks = [query["sql"] for query in few.captured_queries if 'FROM "billing_' in query["sql"]]
    assert len(blocks) == 4, "accounts, unanswered, inbox, received"


def test_lists_of_money_take_no_query_a_row(carol_client, carol, bank, invoice, django_assert_max_num_queries):
    payment = start(invoice, "sep")
    bring(bank.pay("sep", payment.token))
    flows.cancel_paid_order(order=invoice.order)
    for _time in range(10):
        flows.ask_for_refund(payment=payment, amount=1_000, why="asked_for", by=Customer.objects.get(pk=carol.pk))
    for model in ("refund", "payment", "ledgerentry", "invoice", "order"):
        with django_assert_max_num_queries(12):
            assert carol_client.get(reverse(f"admin:billing_{model}_changelist")).status_code == 200


# --- what staff set ---------------------------------------------------------------------------------------------------


def test_a_gateway_without_a_row_is_set(erin, bank):
    assert f"{SCREEN}add/?slug=sep" in shown(erin)
    form = erin.get(f"{SCREEN}add/?slug=sep").content.decode()
    assert '<option value="sep" selected' in form
    assert erin.post(f"{SCREEN}add/", {"slug": "sep", "max_rial": 2_000_000}).status_code == 302
    account = GatewayAccount.objects.get()
    assert (account.slug, account.is_on, account.max_rial) == ("sep", False, 2_000_000)
    assert f"{SCREEN}sep/change/" in shown(erin)
    assert '<option value="sep"' not in erin.get(f"{SCREEN}add/").content.decode()


def test_only_configured_gateways_can_be_added(erin, bank):
    assert erin.post(f"{SCREEN}add/", {"slug": "another"}).status_code == 200
    assert not GatewayAccount.objects.exists()


def test_setting_a_limit_forgets_no_failure(erin, bank, monkeypatch):
    GatewayAccount.objects.create(slug="sep")
    saved = GatewayAccount.save

    def meanwhile(self, **how):
        GatewayAccount.objects.failed("sep", "timeout")
        saved(self, **how)

    monkeypatch.setattr(GatewayAccount, "save", meanwhile)
    asked = {"is_on": "on", "min_rial": 20_000, "max_rial": "", "failures": 9, "slug": "zibal"}
    assert erin.post(f"{SCREEN}sep/change/", asked).status_code == 302
    account = GatewayAccount.objects.get()
    assert (account.slug, account.min_rial, account.failures, account.last_code) == ("sep", 20_000, 1, "timeout")


@pytest.mark.parametrize("limits", [("0", ""), ("", "-5"), ("50000", "40000")])
def test_limits_that_nobody_can_keep_are_refused_in_words(erin, bank, limits):
    GatewayAccount.objects.create(slug="sep")
    response = erin.post(f"{SCREEN}sep/change/", {"is_on": "on", "min_rial": limits[0], "max_rial": limits[1]})
    html = response.content.decode()
    assert response.status_code == 200 and "Constraint" not in html
    assert "above zero" in html or "cannot be below the smallest" in html
    assert GatewayAccount.objects.get().min_rial is None


def test_who_only_reads_sets_nothing(dave, bank):
    GatewayAccount.objects.create(slug="sep")
    html = shown(dave)
    assert "/change/" not in html.split('class="staff-tiles"')[1] and "add/?slug" not in html
    assert dave.post(f"{SCREEN}sep/change/", {"is_on": ""}).status_code == 403
    assert dave.post(f"{SCREEN}add/", {"slug": "zibal"}).status_code == 403
    assert GatewayAccount.objects.get().is_on


def test_nobody_deletes_a_gateway(carol_client, bank):
    GatewayAccount.objects.create(slug="sep")
    assert carol_client.post(f"{SCREEN}sep/delete/", {"post": "yes"}).status_code == 403


def test_without_the_right_there_is_no_screen(alice_client, bank):
    assert alice_client.get(SCREEN).status_code == 302
    assert staff("frank").get(SCREEN).status_code == 403
