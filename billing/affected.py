"""Whose services run on which components: read by notifications/owners.py, by name."""

from collections.abc import Collection
from typing import Any

from accounts.models import Customer
from billing.models import Service


def owners(component_ids: Collection[int]) -> Any:
    """The pks of the customers with a running service on any of them."""
    return Service.objects.running_on(component_ids).order_by().values("customer").distinct()


def services_of(customer: Customer, component_ids: Collection[int]) -> Any:
    return Service.objects.visible_to(customer).running_on(component_ids)
