"""Where we reach a customer: who proved an address, who hears when it changes, and how to take it back."""

import datetime as dt
import secrets

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.flows.sessions import end_sessions
from accounts.models import ContactChange, Customer
from accounts.models.contact import UNDO_WITHIN
from notifications.flows import lift_suppression, tell

UNFINISHED_AFTER = dt.timedelta(days=2)
What = ContactChange.What


def contact_changed(*, customer: Customer, what: str, old: str) -> None:
    """Keep the old address and tell it, with a link that takes the change back, in case it was not her."""
    with transaction.atomic():
        change = ContactChange(customer=customer, what=what, old=old)
        path = reverse("undo_contact_change", args=[change.new_token()])
        change.save()
        tell(
            customer,
            "contact_changed",
            about="account",
            key=f"contact_changed:{change.pk}",
            context={"what": what, "url": settings.SITE_URL + path, "until": change.until.isoformat()},
            to={"email" if what == What.EMAIL else "sms": old},
        )


def undo_contact_change(*, token: str) -> bool:
    """Whoever reads the old address takes the account back: her addresses return, everybody is signed out, the password
    opens nothing any more, and factors as young as the theft are gone. False when the link is used up or too old.
    """
    with transaction.atomic():
        opened = ContactChange.objects.opened_by(token)
        if opened is None:
            return False
        customer = Customer.objects.select_for_update().get(pk=opened.customer_id)
        # A thief changes both, in either order.
        since = Q(what=opened.what, at__lt=opened.at)
        changes = list(ContactChange.objects.open().filter(customer=customer).exclude(since))
        if opened not in changes:  # another browser was faster
            return False
        for change in reversed(changes):
            _restore(customer, change.what, change.old)
        stolen_since = changes[0].at - UNDO_WITHIN
        Authenticator.objects.filter(user_id=customer.pk, created_at__gt=stolen_since).delete()
        customer.set_unusable_password()
        customer.save()
        ContactChange.objects.filter(pk__in=[change.pk for change in changes]).update(undone_at=timezone.now())
        end_sessions(customer=customer)
        tell(customer, "contact_restored", about="account", key=f"contact_restored:{secrets.token_hex(8)}")
    return True


def _restore(customer: Customer, what: str, old: str) -> None:
    if what == What.EMAIL:
        make_way(owner=customer, email=old)
        EmailAddress.objects.filter(user=customer).delete()
        EmailAddress.objects.create(user=customer, email=old, verified=True, primary=True)
        customer.email = old
    else:
        make_way(owner=customer, mobile=old)
        customer.mobile, customer.mobile_verified_at = old, timezone.now()
    lift_suppression(reader=customer, channel="email" if what == What.EMAIL else "sms", why="confirmed")


def forget_contact_changes() -> int:
    """Delete old addresses that can no longer come back. Returns how many."""
    gone, _each = ContactChange.objects.filter(at__lt=timezone.now() - UNDO_WITHIN).delete()
    return gone


def forget_unfinished() -> int:
    """Delete sign-ups never confirmed, so that nobody holds another's address by typing it. Returns how many."""
    return sum(
        1 for customer in _unfinished().filter(joined_at__lt=timezone.now() - UNFINISHED_AFTER) if customer.delete()
    )


def make_way(*, owner: Customer, **address: str) -> None:
    """The owner proved this `email` or `mobile`: sign-ups that only typed it go, or they would stand in the way."""
    for customer in _unfinished().filter(**address).exclude(pk=owner.pk):
        customer.delete()


def _unfinished() -> QuerySet[Customer]:
    """Nobody ever signed in to these, and the e-mail or the mobile was never confirmed: either may be another's."""
    proved = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    people = Customer.objects.filter(kind=Customer.Kind.PERSON)  # in a company's name nobody ever signs in
    rows = people.filter(last_login__isnull=True, is_staff=False, is_active=True)
    return rows.filter(Q(mobile_verified_at=None) | ~Exists(proved))  # type: ignore[no-any-return]
