"""Whose services run on a component, and what of a customer's does."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import affected
from billing.flows import place_order
from notifications.owners import owners, services_of
from tests.notifications.troubles import component, plan_on, service


@pytest.fixture
def web(db):
    return component()


def test_a_plan_ties_its_services_to_its_components(alice, bob, web):
    service(alice, plan_on(web))
    service(bob, plan_on(component("mail", "Mail")))
    assert [row["pk"] for row in owners([web.pk])] == [alice.pk]


def test_a_service_can_run_on_a_component_of_its_own(alice, bob, web):
    plan = plan_on()
    service(alice, plan).components.add(web)
    service(bob, plan)
    assert [row["pk"] for row in owners([web.pk])] == [alice.pk]


def test_an_owner_of_many_is_one_owner(alice, web):
    mail, plan = component("mail", "Mail"), plan_on(web)
    service(alice, plan)
    service(alice, plan).components.add(web, mail)
    assert owners([web.pk, mail.pk]).count() == 1


@pytest.mark.parametrize("status", ["pending", "suspended", "ended"])
def test_only_what_runs_counts(alice, web, status):
    service(alice, plan_on(web), status=status)
    assert not owners([web.pk]).exists()


def test_without_components_nobody_is_meant(alice, web):
    service(alice, plan_on(web))
    assert not owners([]).exists()


def test_of_her_own_services_those_that_run_on_it(alice, bob, web):
    on_it, plan = service(alice, plan_on(web)), plan_on()
    service(alice, plan)
    assert services_of(alice, [web.pk]) == [on_it]
    assert services_of(bob, [web.pk]) == []


def test_a_hundred_owners_are_asked_for_in_one_query(alice, web, django_assert_num_queries):
    service(alice, plan_on(web))
    with django_assert_num_queries(1):
        assert list(affected.owners([web.pk])) == [{"customer": alice.pk}]


def test_to_place_an_order_asks_nothing_of_components(alice, plan, web):
    plan.components.add(web)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        place_order(customer=alice, plan=plan, option=None, form_token="c" * 20)
    assert not [query for query in asked.captured_queries if "component" in query["sql"]]
