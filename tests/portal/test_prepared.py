"""A query whose SQL is written once gives what its QuerySet gives, for each of its values."""

import uuid

import psycopg
import pytest
from django.db import connection

from accounts.models import Customer
from portal.prepared import Prepared, together
from portal.sealed.fields import CannotOpen

SOMEBODY = uuid.uuid4()


def test_it_gives_each_callers_own_rows_and_opens_what_is_sealed(alice, bob, django_assert_num_queries):
    by_id = Prepared(lambda pk: Customer.objects.filter(pk=pk, is_active=True), SOMEBODY)
    with django_assert_num_queries(2):
        assert [row.email for row in by_id(alice.pk)] == ["alice@example.com"]
        assert [row.email for row in by_id(bob.pk)] == ["bob@example.com"]
    assert by_id(alice.pk) == list(Customer.objects.filter(pk=alice.pk))
    Customer.objects.filter(pk=alice.pk).update(is_active=False)
    assert by_id(alice.pk) == []


def test_a_sealed_value_is_opened_only_when_somebody_reads_it(alice, settings):
    by_id = Prepared(lambda pk: Customer.objects.filter(pk=pk), SOMEBODY)
    settings.PII_KEYS = "k9:" + "9" * 64  # nothing opens under this key
    row = by_id(alice.pk)[0]
    assert row.ref == alice.ref and not row.is_profile_complete
    with pytest.raises(CannotOpen):
        _ = row.email


def test_a_row_can_be_saved_without_having_been_read(alice):
    row = Prepared(lambda pk: Customer.objects.filter(pk=pk), SOMEBODY)(alice.pk)[0]
    row.name = "New"
    row.save()
    assert Customer.objects.get(email="alice@example.com").name == "New"


def test_columns_left_out_are_fetched_when_read(alice, django_assert_num_queries):
    by_id = Prepared(lambda pk: Customer.objects.filter(pk=pk).only("ref"), SOMEBODY)
    with django_assert_num_queries(2):
        assert by_id(alice.pk)[0].email == "alice@example.com"


def test_two_values_keep_their_places(alice, bob):
    both = Prepared(lambda one, other: Customer.objects.filter(pk=one).exclude(ref=other), SOMEBODY, "no such ref")
    assert both(alice.pk, bob.ref) == [alice] and both(alice.pk, alice.ref) == []


def test_an_example_that_does_not_reach_the_sql_is_refused(db):
    with pytest.raises(LookupError):
        Prepared(lambda pk: Customer.objects.all(), SOMEBODY)(SOMEBODY)


def test_a_suspended_customer_is_out_at_the_next_page(alice_client, alice):
    assert alice_client.get("/profile/").status_code == 200
    Customer.objects.filter(pk=alice.pk).update(is_active=False)
    assert alice_client.get("/profile/").status_code == 302


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("times", [1, 3])
def test_it_answers_though_the_server_ended_the_connection(times):
    ref = Customer.objects.create_user(email=None).ref
    by_ref = Prepared(lambda ref: Customer.objects.filter(ref=ref), "no such ref")
    assert by_ref(ref)[0].ref == ref
    here = connection.settings_dict
    where = {"host": here["HOST"], "port": here["PORT"], "user": here["USER"], "password": here["PASSWORD"]}
    with psycopg.connect(dbname=here["NAME"], **where) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    assert [rows[0].ref for rows in together(*[(by_ref, ref)] * times)] == [ref] * times
