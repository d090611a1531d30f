"""Staff close an account for a time, and open it again."""

import secrets

from django.db import transaction

from accounts.flows.sessions import end_sessions
from accounts.models import Customer, Suspension
from notifications.flows import tell


def suspend(*, staff: Customer, customer: Customer, why: str) -> Suspension | None:
    """From this moment nobody is signed in to the account. None when it was closed already."""
    if staff.pk == customer.pk:
        raise ValueError("suspension: nobody suspends themselves")
    with transaction.atomic():
        customer = Customer.objects.select_for_update().get(pk=customer.pk)
        if not customer.is_active:
            return None
        suspension: Suspension = Suspension.objects.create(customer=customer, by=staff, why=why)
        customer.is_active = False
        customer.save(update_fields=["is_active"])
        end_sessions(customer=customer)
        _tell(customer, "suspended", why=why)
    return suspension


def lift_suspension(*, staff: Customer, customer: Customer) -> bool:
    """She may sign in again, with whatever she signed in with before."""
    if staff.pk == customer.pk:
        raise ValueError("suspension: nobody lifts their own")
    with transaction.atomic():
        suspension = Suspension.objects.standing().filter(customer=customer).first()
        if suspension is None or not suspension.lift(staff):
            return False
        Customer.objects.filter(pk=customer.pk).update(is_active=True)
        _tell(customer, "suspension_lifted")
    return True


def _tell(customer: Customer, message: str, **words: str) -> None:
    tell(customer, message, about="account", key=f"{message}:{secrets.token_hex(8)}", context=words)
