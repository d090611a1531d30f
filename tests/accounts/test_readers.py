"""Who reads for a customer: of one, and of many at once for SQL. Both say the same."""

import pytest
from django.db import connection

from accounts import privacy
from accounts.flows import suspend
from accounts.models import Company, Customer, Membership
from accounts.models.company import READS, Role
from tests.base import make_customer

pytestmark = pytest.mark.django_db


def company(number: int, language: str = "fa", **people: str) -> Customer:
    """A company whose people have these roles."""
    customer = Customer.objects.create(kind="company", name=f"Atlas {number}", language=language)
    atlas = Company.objects.create(customer=customer, national_id=f"1038028479{number}", registration_number="55")
    for n, (name, role) in enumerate(people.items()):
        person = make_customer(f"{name}{number}@example.com", f"+98912222{number}00{n}", language="en")
        Membership.objects.create(company=atlas, person=person, role=role)
    return customer


@pytest.fixture
def everybody(alice, bob):
    return [alice, bob, company(1, owner="owner", bills="billing", techie="technical"), company(2, "en", boss="owner")]


def pairs(purpose: str, customers=None) -> set:
    customers = Customer.objects.values("pk") if customers is None else customers
    found = list(Customer.objects.reader_ids(customers, purpose))
    assert len(found) == len(set(found)), "nobody twice"
    return set(found)


@pytest.mark.parametrize("purpose", sorted(READS[Role.OWNER]))
def test_many_at_once_are_read_for_by_the_same_people_as_each_alone(everybody, purpose):
    asked = [customer.pk for customer in everybody]
    alone = {(c.pk, reader.pk, c.language) for c in everybody for reader in c.readers(purpose)}
    assert pairs(purpose, asked) == alone and len(alone) >= 4


def test_an_owner_who_is_also_asked_for_herself_is_a_reader_of_both(alice):
    atlas = company(1)
    Membership.objects.create(company=atlas.company, person=alice, role=Role.OWNER)
    assert pairs("legal") == {(alice.pk, alice.pk, "en"), (atlas.pk, alice.pk, "fa")}


def test_a_closed_account_is_told_nothing_and_reads_for_nobody(alice, bob, carol):
    atlas = company(1, owner="owner")
    Membership.objects.create(company=atlas.company, person=alice, role=Role.OWNER)
    suspend(staff=carol, customer=alice, why="Reported as stolen")
    assert alice.pk not in {reader for _customer, reader, _language in pairs("service")}
    Customer.objects.filter(pk=atlas.pk).update(is_active=False)
    assert atlas.pk not in {customer for customer, _reader, _language in pairs("service")}
    privacy.erase(bob)
    assert bob.pk not in {reader for _customer, reader, _language in pairs("service")}


def test_nobody_is_meant_by_an_empty_audience(alice):
    assert pairs("legal", Customer.objects.filter(email="nobody@example.com").values("pk")) == set()


def test_the_database_can_write_rows_from_it(everybody):
    sql, params = Customer.objects.reader_ids(Customer.objects.values("pk"), "service").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE told (customer uuid, reader uuid, language text) ON COMMIT DROP")
        cursor.execute(f"INSERT INTO told {sql}", params)
        cursor.execute("SELECT * FROM told")
        assert set(cursor.fetchall()) == pairs("service")
