"""A customer is signed out everywhere."""

from django.db import transaction
from django.db.models import F
from django.dispatch import Signal

from accounts.models import Customer

sessions_ended = Signal()  # `customer`: who is signed out; the room of devices writes it down


def end_sessions(*, customer: Customer) -> None:
    """Every session of hers is worth nothing from now on, in whichever browser it lives."""
    with transaction.atomic():
        Customer.objects.filter(pk=customer.pk).update(session_epoch=F("session_epoch") + 1)
        customer.refresh_from_db(fields=["session_epoch"])
        sessions_ended.send(sender=Customer, customer=customer)
