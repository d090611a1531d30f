"""How many sealed values a staff list of fifty customers opens: it shows none, so none."""

from typing import Any
from unittest.mock import patch

from tests.benchmarks import customers

COUNT = 50


def run() -> dict[str, Any]:
    customers.set_up()
    from django.test import Client

    from accounts.models import Customer
    from portal.sealed.fields import SealedMixin
    from tests.base import make_customer, show_second_factor

    customers.prepare()
    Customer.objects.filter(email="bench.staff@example.com").delete()
    staff = make_customer("bench.staff@example.com", "+989127654321", is_staff=True, is_superuser=True)
    for number in range(COUNT):
        Customer.objects.filter(email=customers.person(number)["email"]).delete()
        customers.customer(number).save(force_insert=True)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(staff)
    show_second_factor(client, staff)
    opened: list[str] = []
    unsealed = SealedMixin.open

    def count(field: Any, token: str, owner: str) -> Any:
        if field.model is Customer and owner != str(staff.pk):  # the masthead greets her by her own name
            opened.append(field.name)
        return unsealed(field, token, owner)

    with patch.object(SealedMixin, "open", count):
        page = client.get("/admin/accounts/customer/").content.decode()
    if page.count('name="_selected_action"') < COUNT and page.count("/change/") < COUNT:
        raise RuntimeError("the list does not show fifty customers")
    sealed = COUNT * len(Customer.PERSONAL)
    return {
        "name": "values opened for a staff list of fifty",
        "value": len(opened),
        "reference": sealed,
        "ratio": len(opened) / sealed,
        "unit": "values",
        "against": "the sealed values of the customers on the page",
        "limit": "<=0",
        "holds": not opened,
    }
