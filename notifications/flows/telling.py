"""Tell a customer something: written down in the caller's transaction, on its way after the commit."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from notifications import quiet
from notifications.messages import CATALOGUE, Message
from notifications.models import Channel, Delivery, Event, Preference


def tell(
    customer: Any,
    message: str,
    *,
    about: str,
    context: dict[str, Any] | None = None,
    key: str | None = None,
    expires_in: dt.timedelta | None = None,
    to: dict[str, str] | None = None,
    readers: Sequence[Any] | None = None,
) -> Event:
    """Write down what must be said, in the caller's transaction; it leaves after the commit. One key, one event.

    `message` is a name in the catalogue, `about` an opaque reference such as "invoice:1405-000012", `to` overrides the
    customer's own address by channel ("email", "sms"), `readers` are those of its people who hear of it, not all.
    """
    kind = CATALOGUE[message]
    if not connection.in_atomic_block:
        raise RuntimeError("tell() belongs into the transaction of what it tells about")
    if unknown := set(to or ()) - set(kind.channels):
        raise ValueError(f"{message} does not go by {', '.join(sorted(unknown))}")
    lifetime = expires_in or kind.expires_in
    event = Event(
        customer=customer,
        message=message,
        purpose=kind.purpose,
        about=about,
        key=key or f"{message}:{about}",
        context=context or {},
        language=customer.language,
        # By the database's clock: which machine wrote it down decides neither when it leaves nor when it is too late.
        at=Now(),
        expires_at=Now() + lifetime if lifetime else None,
    )
    Event.objects.bulk_create([event], ignore_conflicts=True)
    written = Event.objects.filter(pk=event.pk).values_list("at", "expires_at").first()
    if written is None:
        return Event.objects.get(key=event.key)
    event.at, event.expires_at = written
    if to and customer.is_company:  # to this address alone: of the company's people nobody needs to read it
        ways = [(customer, channel, address) for channel, address in to.items()]
    else:
        ways = [
            (reader, channel, {Channel.EMAIL: reader.email, Channel.SMS: reader.mobile, **(to or {})}[channel])
            for reader in (customer.readers(kind.purpose) if readers is None else readers)
            for channel in kind.channels
        ]
    chosen = Preference.by_reader({reader for reader, _channel, _address in ways}) if kind.can_wait else {}
    deliveries = [_delivery(event, kind, reader, channel, to, chosen.get(reader.pk)) for reader, channel, to in ways]
    Delivery.objects.bulk_create(deliveries)
    return event


def _delivery(
    event: Event, kind: Message, reader: Any, channel: str, address: str | None, preference: Preference | None
) -> Delivery:
    """The address is frozen now: a later change of it must not redirect what was meant for the old one."""
    delivery = Delivery(event=event, reader=reader, channel=channel, lane=kind.lane, recipient=address or None)
    if not address:
        delivery.status, delivery.last_code, delivery.not_before = Delivery.Status.SUPPRESSED, "no-address", None
    elif kind.can_gather and preference and preference.digest:
        delivery.status = Delivery.Status.GATHERED
        delivery.not_before = quiet.next_digest(preference, event.at)
    else:
        delivery.not_before = quiet.not_before(preference, kind, event.at)
    return delivery
