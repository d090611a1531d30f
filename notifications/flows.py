"""Stories of this room: tell a customer something, deliver it, and keep a ticket's conversation."""

import datetime as dt
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from notifications.messages import CATALOGUE
from notifications.models import Channel, Delivery, Event


def tell(
    customer: Any,
    message: str,
    *,
    about: str,
    context: dict[str, Any] | None = None,
    key: str | None = None,
    expires_in: dt.timedelta | None = None,
    to: dict[str, str] | None = None,
) -> Event:
    """Write down what must be said, in the caller's transaction; it leaves after the commit. Twice with one key is once.

    `message` is a name in the catalogue, `about` an opaque reference such as "invoice:1405-000012", `to` overrides the
    customer's own address by channel ("email", "sms").
    """
    kind = CATALOGUE[message]
    if not connection.in_atomic_block:
        raise RuntimeError("tell() belongs into the transaction of what it tells about")
    if unknown := set(to or ()) - set(kind.channels):
        raise ValueError(f"{message} does not go by {', '.join(sorted(unknown))}")
    now, lifetime = timezone.now(), expires_in or kind.expires_in
    event = Event(
        customer=customer,
        message=message,
        purpose=kind.purpose,
        about=about,
        key=key or f"{message}:{about}",
        context=context or {},
        language=customer.language,
        at=now,
        expires_at=now + lifetime if lifetime else None,
    )
    Event.objects.bulk_create([event], ignore_conflicts=True)
    if not Event.objects.filter(pk=event.pk).exists():
        return Event.objects.get(key=event.key)
    own = {Channel.EMAIL: customer.email, Channel.SMS: customer.mobile}
    Delivery.objects.bulk_create(_delivery(event, channel, kind.lane, (to or {}).get(channel, own[channel])) for channel in kind.channels)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('outbox', %s)", [kind.lane])
    return event


def _delivery(event: Event, channel: str, lane: str, address: str | None) -> Delivery:
    """An address is frozen now: a later change of it must not redirect what was meant for the old one."""
    delivery = Delivery(event=event, channel=channel, lane=lane, recipient=address or None, not_before=event.at)
    if not address:
        delivery.status, delivery.last_code, delivery.not_before = Delivery.Status.SUPPRESSED, "no_address", None
    return delivery
