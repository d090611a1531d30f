"""Who has something that runs on a component: each room that sells says so in its `affected.py`."""

import functools
import operator
from collections.abc import Collection
from itertools import chain
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q

from portal.rooms import modules


def owners(component_ids: Collection[int]) -> Any:
    """The pks of the customers who have something running on any of them."""
    theirs = [Q(pk__in=room.owners(component_ids)) for room in modules("affected")]
    return get_user_model()._default_manager.filter(functools.reduce(operator.or_, theirs)).order_by().values("pk")


def services_of(customer: Any, component_ids: Collection[int]) -> list[Any]:
    """What of this customer's runs on any of them; each has a name and an address."""
    return list(chain.from_iterable(room.services_of(customer, component_ids) for room in modules("affected")))
