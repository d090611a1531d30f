"""Staff find a customer by what the customer says on the phone; the value stands in no URL and in no statement."""

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Customer
from tests.base import make_customer

FIND = "/admin/accounts/customer/find/"


@pytest.fixture
def family(db):
    """Two sisters with one landline, and somebody else."""
    people = [("Sara", "Zarafeh Nejad"), ("Mina", "زرافه‌نژاد"), ("Sara", "Other")]
    return [
        make_customer(f"p{n}@example.com", f"+98912111010{n}", name=name, surname=surname, landline="+982188776655")
        for n, (name, surname) in enumerate(people)
    ]


def found(client, what):
    response = client.post(FIND, {"what": what})
    return response.headers.get("Location", "") or [customer.ref for customer in response.context["found"]]


@pytest.mark.parametrize("what", ["zarafeh  nejad", "ZARAFEH NEJAD", "Sara Zarafeh Nejad"])
def test_a_surname_is_found_in_any_way_of_writing(carol_client, family, what):
    assert found(carol_client, what) == f"/admin/accounts/customer/{family[0].pk}/change/"


@pytest.mark.parametrize("what", ["زرافه‌نژاد", "زرافه نژاد", "Mina زرافه نژاد"])
def test_a_half_space_is_a_space(carol_client, family, what):
    assert str(family[1].pk) in found(carol_client, what)


def test_the_wrong_name_before_a_surname_finds_nobody(carol_client, family):
    assert found(carol_client, "Mina Zarafeh Nejad") == []


@pytest.mark.parametrize("what", ["021 8877 6655", "۰۲۱۸۸۷۷۶۶۵۵"])
def test_a_landline_lists_everybody_who_has_it_without_a_name(carol_client, family, what):
    response = carol_client.post(FIND, {"what": what})
    page = response.content.decode()
    assert {customer.ref for customer in response.context["found"]} == {customer.ref for customer in family}
    assert all(customer.ref in page for customer in family) and "p0@example.com" not in page and "Mina" not in page


def test_a_tag_alone_is_not_a_find(carol_client, family):
    """Somebody else of the same 8 bits is a candidate, and no more."""
    tag = Customer._meta.get_field("surname_tag").tags("Zarafeh Nejad")[0]
    other = next(f"Name{n}" for n in range(5000) if Customer._meta.get_field("surname_tag").tags(f"Name{n}")[0] == tag)
    stranger = make_customer("stranger@example.com", "+989121110199", surname=other)
    assert str(family[0].pk) in found(carol_client, "Zarafeh Nejad")
    assert str(stranger.pk) in found(carol_client, other)


def test_a_surname_that_too_many_may_have_asks_for_something_else(carol_client, family):
    assert Customer.objects.alike("surname", "Zarafeh Nejad", at_most=0) is None
    people = [Customer(surname="Common") for _ in range(2001)]
    Customer.objects.bulk_create(people)
    assert "Too many customers" in carol_client.post(FIND, {"what": "Common"}).content.decode()


def test_nobody_is_found_by_a_part_or_by_nothing(carol_client, family):
    for what in ("Zarafeh", "p0@", "", "   "):
        assert carol_client.post(FIND, {"what": what}).status_code == 200
    assert "No customer was found" in carol_client.post(FIND, {"what": "Zarafeh"}).content.decode()


def test_what_is_looked_for_is_in_no_statement(family):
    with CaptureQueriesContext(connection) as queries:
        Customer.objects.called("Sara Zarafeh Nejad")
        list(Customer.objects.filter(landline="+982188776655"))
    assert len(queries) == 3 and not any("arafeh" in q["sql"] or "8877" in q["sql"] for q in queries)


def test_the_tags_follow_every_way_to_write(family):
    sara = family[0]
    Customer.objects.filter(pk=sara.pk).update(surname="First")
    assert Customer.objects.called("first") == [sara]
    sara.refresh_from_db()
    sara.surname = "Second"
    sara.save(update_fields=["surname"])
    assert Customer.objects.called("second") == [sara] and Customer.objects.called("first") == []
    sara.surname, sara.landline = "Third", None
    Customer.objects.bulk_update([sara], ["surname", "landline"])
    assert Customer.objects.called("third") == [sara] and sara not in Customer.objects.filter(landline="+982188776655")


@pytest.mark.parametrize("column", ["surname_tag", "landline_bi"])
def test_a_writer_that_forgets_the_tag_is_refused_by_the_database(family, column):
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute(f"UPDATE accounts_customer SET {column} = NULL WHERE id = %s", [family[0].pk])  # noqa: S608
