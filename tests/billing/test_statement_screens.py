"""The staff screens of the banks' daily files: import, read, book, and who may."""

import io
from datetime import date

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.models import Payment, Statement
from tests.base import show_second_factor
from tests.billing.base import SLUGS, assert_paid_once, fresh, settlement_file
from tests.billing.statements import ADD, AT, DAY, LIST, csv, day_of, imported, pay, row_of, shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def with_rights(dave):
    """A client of dave's with exactly these rights."""

    def sign_in(*rights: str) -> Client:
        dave.user_permissions.set(Permission.objects.filter(content_type__app_label="billing", codename__in=rights))
        client = Client(headers={"accept-language": "en"})
        client.force_login(dave)
        show_second_factor(client, dave)
        return client

    return sign_in


def report_page(statement: Statement) -> str:
    return f"{LIST}{statement.pk}/change/"


def given(content: bytes, day: date = DAY, **changed: str) -> dict[str, object]:
    file = io.BytesIO(content)
    file.name = "day.csv"
    return {"gateway": "sep", "day": str(day), "file": file} | changed


def test_an_empty_list_says_what_to_do(carol_client):
    page = carol_client.get(LIST).content.decode()
    assert "No settlement file was imported yet" in page and f'href="{ADD}"' in page


def test_staff_import_a_file_and_read_that_all_fits(bank, invoice, carol_client, carol):
    payment = fresh(pay(bank, invoice))
    jalali = {"day": timezone.localdate(payment.bank_time).isoformat()}
    answer = carol_client.post(ADD, given(settlement_file(bank, "sep"), **jalali), follow=True)
    page = answer.content.decode()
    statement = Statement.objects.get()
    assert answer.redirect_chain == [(report_page(statement), 302)] and statement.imported_by == carol
    assert "Everything fits" in page and f"/admin/billing/payment/{payment.pk}/change/" in page
    assert "Saman Electronic Payment" in page
    again = carol_client.post(ADD, given(settlement_file(bank, "sep"), **jalali), follow=True)
    assert again.redirect_chain == answer.redirect_chain and Statement.objects.count() == 1
    listed = carol_client.get(LIST).content.decode()
    assert "Matches" in listed and str(carol) in listed
    persian = carol_client.get(report_page(statement), headers={"accept-language": "fa"}).content.decode()
    assert 'dir="rtl"' in persian


def test_the_report_names_what_does_not_fit_first(bank, invoice, carol_client):
    payment = fresh(pay(bank, invoice))
    rows = [row_of(payment), f"nobodys-receipt,1,5,{shown(payment.bank_time)},sale"]
    page = carol_client.get(report_page(imported(csv(*rows), day=day_of(payment)))).content.decode()
    assert page.index("nobodys-receipt") < page.index(f"/payment/{payment.pk}/change/")
    assert "No payment of ours" in page and "The bank has more than we" in page
    page = carol_client.get(report_page(imported(csv(), day=day_of(payment)))).content.decode()
    assert "The file has no line" in page and "Ours alone" not in page, "another file knows the payment"


def test_the_report_lists_what_is_ours_alone(bank, invoice, carol_client):
    payment = fresh(pay(bank, invoice))
    page = carol_client.get(report_page(imported(csv(), day=day_of(payment)))).content.decode()
    assert "Ours alone" in page and f"/payment/{payment.pk}/change/" in page and "We have more than the bank" in page


def test_a_day_without_anything_says_so(carol_client):
    page = carol_client.get(report_page(imported(csv(), day=DAY))).content.decode()
    assert "The file has no line" in page


def test_reading_the_report_writes_nothing(unanswered, carol_client):
    statement = imported(csv(row_of(unanswered)))
    with CaptureQueriesContext(connection) as queries:
        carol_client.get(report_page(statement))
    assert not [q["sql"] for q in queries if "billing_statement" in q["sql"] and not q["sql"].startswith("SELECT")]


def test_a_bad_file_is_explained_on_the_page(carol_client):
    page = carol_client.post(ADD, given(csv(*[f"r{n},1,x,{AT},sale" for n in range(60)]))).content.decode()
    assert "Nothing was imported" in page and "Line 2: the amount" in page and "and 10 more" in page
    assert not Statement.objects.exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"gateway": "paypal"}, "paypal"),
        ({"day": "yesterday"}, "Please write a date"),
        ({"file": ""}, "required"),
    ],
)
def test_what_is_missing_is_asked_for(carol_client, changed, words):
    answer = carol_client.post(ADD, given(csv()) | changed)
    assert answer.status_code == 200 and words in answer.content.decode() and not Statement.objects.exists()


def test_a_file_that_is_too_large_is_refused_unread(carol_client):
    for size in (5 * 1024 * 1024 + 1, 12 * 1024 * 1024):
        assert "larger than 5 MB" in carol_client.post(ADD, given(b"a" * size)).content.decode()


def test_dave_books_what_carol_imported(unanswered, bank, carol_client, carol, with_rights):
    statement = imported(settlement_file(bank, "sep"), by=carol)
    line = statement.lines.get()
    book = f"{LIST}{statement.pk}/book/{line.pk}/"
    own = carol_client.get(report_page(statement)).content.decode()
    assert book not in own and "a colleague has to book by it" in own
    assert "a colleague" in carol_client.post(book, follow=True).content.decode()
    assert fresh(unanswered).status == Payment.Status.UNKNOWN
    dave_client = with_rights("view_statement", "change_statement")
    assert book in dave_client.get(report_page(statement)).content.decode()
    assert dave_client.get(book).status_code == 405
    page = dave_client.post(book, follow=True).content.decode()
    assert "Booked by the bank" in page and "Booked by this file" in page and "Everything fits" in page
    assert_paid_once(unanswered)
    assert "received already" in dave_client.post(book, follow=True).content.decode()
    assert_paid_once(unanswered)


def test_staff_compare_again(unanswered, carol_client, carol):
    statement = imported(csv(row_of(unanswered)))
    act = {"action": "compare_again", "_selected_action": [statement.pk]}
    assert "1 file was compared again" in carol_client.post(LIST, act, follow=True).content.decode()


def test_each_right_opens_its_own_door(unanswered, with_rights):
    statement = imported(csv(row_of(unanswered)))
    report, book = report_page(statement), f"{LIST}{statement.pk}/book/{statement.lines.get().pk}/"
    nothing = with_rights()
    assert [nothing.get(page).status_code for page in (LIST, report, ADD)] == [403] * 3
    assert nothing.post(book).status_code == nothing.post(ADD, given(csv())).status_code == 403
    reader = with_rights("view_statement")
    assert [reader.get(page).status_code for page in (LIST, report, ADD)] == [200, 200, 403]
    assert (
        book not in reader.get(report).content.decode()
        and "/admin/billing/payment/" not in reader.get(report).content.decode()
    )
    assert reader.post(book).status_code == reader.post(ADD, given(csv())).status_code == 403
    importer = with_rights("add_statement")
    assert importer.get(ADD).status_code == 200 and importer.post(book).status_code == 403
    assert importer.post(ADD, given(csv())).headers["Location"] == "/admin/"
    booker = with_rights("change_statement")
    assert booker.get(ADD).status_code == 403 and booker.post(book).status_code == 302
    assert fresh(unanswered).status == Payment.Status.PAID


def test_nobody_edits_or_deletes_what_a_file_says(carol_client):
    statement = imported(csv(), day=DAY)
    assert carol_client.post(report_page(statement), {"day": "2026-01-01"}).status_code == 403
    assert carol_client.post(f"{LIST}{statement.pk}/delete/", {"post": "yes"}).status_code == 403
    assert carol_client.get(report_page(Statement(pk=statement.pk + 1))).status_code == 404


def test_alice_and_strangers_cannot_enter(alice_client, anyone):
    for client in (alice_client, anyone):
        assert client.get(LIST).status_code == client.post(ADD, given(csv())).status_code == 302
    assert not Statement.objects.exists()


def test_every_gateway_is_offered(bank, carol_client):
    page = carol_client.get(ADD).content.decode()
    assert all(f'value="{slug}"' in page for slug in SLUGS)
