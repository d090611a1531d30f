"""Personal information is opened for staff only with a reason, which its owner reads."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from accounts.models import Company, Customer, Look


def reveal(*, staff: Customer, customer: Customer, fields: Iterable[str], why: str) -> dict[str, Any]:
    """Open personal fields for a member of staff. The row that says so is written first."""
    rows: dict[str, Any] = dict.fromkeys(Customer.PERSONAL, customer)
    if customer.is_company:
        rows |= dict.fromkeys(Company.PERSONAL, customer.company)
    names = [name for name in fields if name in rows]
    with transaction.atomic():
        Look.objects.create(customer=customer, staff=staff, fields=names, why=why)
    return {name: getattr(rows[name], name) for name in names}
