"""Where we reach a customer: who proved an address, and who hears when it changes."""

import datetime as dt
import secrets

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Customer
from notifications.flows import tell

UNFINISHED_AFTER = dt.timedelta(days=2)


def tell_old_email(*, customer: Customer, old: str) -> None:
    """The address that no longer is the customer's hears of it, in case it was not her."""
    _tell_old(customer, "email", old)


def tell_old_mobile(*, customer: Customer, old: str) -> None:
    """The number that no longer is the customer's hears of it."""
    _tell_old(customer, "sms", old)


def _tell_old(customer: Customer, channel: str, old: str) -> None:
    with transaction.atomic():
        key = f"contact_changed:{secrets.token_hex(8)}"
        what = "email" if channel == "email" else "mobile"
        tell(customer, "contact_changed", about="account", context={"what": what}, key=key, to={channel: old})


def forget_unfinished() -> int:
    """Delete sign-ups never confirmed, so that nobody holds another's address by typing it. Returns how many."""
    return sum(
        1 for customer in _unfinished().filter(joined_at__lt=timezone.now() - UNFINISHED_AFTER) if customer.delete()
    )


def make_way(*, owner: Customer, email: str) -> None:
    """The owner proved this address: sign-ups that only typed it go, or they would stand in the way."""
    for customer in _unfinished().filter(email=email).exclude(pk=owner.pk):
        customer.delete()


def _unfinished() -> QuerySet[Customer]:
    """Nobody ever signed in to these, and the e-mail or the mobile was never confirmed: either may be another's."""
    proved = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    rows = Customer.objects.filter(last_login__isnull=True, is_staff=False, is_active=True)
    return rows.filter(Q(mobile_verified_at=None) | ~Exists(proved))  # type: ignore[no-any-return]
