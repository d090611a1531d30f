"""Stories of this room: tell a customer something, deliver it, and keep a ticket's conversation."""

import datetime as dt
import logging
import random
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from notifications.attachments import CleanFile
from notifications.channels import TransportError, smtp
from notifications.channels.kavenegar import BLOCKED, DELIVERED, IDS_AT_MOST, NOT_DELIVERED, SmsOperator, Standing
from notifications.messages import CATALOGUE, render
from notifications.models import Channel, Delivery, Event, Lane, Ticket, TicketMessage

log = logging.getLogger(__name__)

# With waits up to half an hour this is about two days; then somebody of us must look.
TRIES_AT_MOST = 120
LOOK_UP_AFTER = dt.timedelta(seconds=10)  # the operator's own books lag behind its answers
REMEMBERED = dt.timedelta(hours=12)  # how long the operator knows our numbers
HINT_LASTS = dt.timedelta(seconds=20)  # a hint that led to nothing within this is taken for lost
# Ages of an accepted SMS at which to ask what became of it; the operator forgets after the last.
ASK_AT = [dt.timedelta(minutes=m) for m in (0.25, 1, 6, 30, 6 * 60, 48 * 60)]


# --- tell -------------------------------------------------------------------------------------------------------------


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
    """Write down what must be said, in the caller's transaction; it leaves after the commit. One key, one event.

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
    if to and customer.is_company:  # to this address alone: of the company's people nobody needs to read it
        ways = [(customer, channel, address) for channel, address in to.items()]
    else:
        ways = [
            (reader, channel, {Channel.EMAIL: reader.email, Channel.SMS: reader.mobile, **(to or {})}[channel])
            for reader in customer.readers(kind.purpose)
            for channel in kind.channels
        ]
    Delivery.objects.bulk_create([_delivery(event, reader, channel, kind.lane, to) for reader, channel, to in ways])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('outbox', %s)", [kind.lane])
    return event


def _delivery(event: Event, reader: Any, channel: str, lane: Lane, address: str | None) -> Delivery:
    """The address is frozen now: a later change of it must not redirect what was meant for the old one."""
    delivery = Delivery(
        event=event, reader=reader, channel=channel, lane=lane, recipient=address or None, not_before=event.at
    )
    if not address:
        delivery.status, delivery.last_code, delivery.not_before = Delivery.Status.SUPPRESSED, "no-address", None
    return delivery


# --- deliver ----------------------------------------------------------------------------------------------------------


def sms_operator() -> SmsOperator:
    company = settings.KAVENEGAR
    return SmsOperator(company["api_key"], f"{company['api_url']}/v1", company["sender"])


def deliver(delivery_id: uuid.UUID | str) -> str | None:
    """One try. The row is claimed and committed first, the provider is called outside any transaction, and the answer
    counts only while the claim is still ours. Returns the new status; None when it was not this row's turn.
    """
    delivery = Delivery.claim(delivery_id)
    if delivery is None:
        return None
    if delivery.status == Delivery.Status.UNKNOWN:
        _look_up(delivery)
    else:
        _send(delivery)
    return str(delivery.status)


def _send(delivery: Delivery) -> None:
    ask_at = timezone.now() + ASK_AT[0] if delivery.channel == Channel.SMS else None
    try:
        ref = _by_sms(delivery) if delivery.channel == Channel.SMS else _by_email(delivery)
    except TransportError as error:
        _record(delivery, error)
    except Exception as error:
        # Words that cannot be written wait for a mended release. The text of the error may hold them, so it stays out.
        log.error("delivery %s cannot be written: %s", delivery.pk, type(error).__name__)
        _try_again(delivery, "render")
    else:
        with transaction.atomic():
            if delivery.accept(ref, ask_at=ask_at):
                _forget(delivery.event)


def _by_sms(delivery: Delivery) -> str:
    event, to = delivery.event, str(delivery.recipient)
    template = CATALOGUE[event.message].sms_template
    if template:
        return sms_operator().send_code(to, f"{template}-{event.language}", event.context["code"]).ref
    return sms_operator().send_text(to, render(event, Channel.SMS).text, delivery.local_ref).ref


def _by_email(delivery: Delivery) -> str:
    event, us = delivery.event, settings.SITE_HOST or "localhost"
    words, message_id = render(event, Channel.EMAIL), f"<{delivery.pk}@{us}>"
    letter = smtp.compose(
        sender=settings.EMAIL_FROM,
        to=str(delivery.recipient),
        subject=words.subject,
        text=words.text,
        html=words.html,
        message_id=message_id,
        at=event.at,
        language=event.language,
    )
    smtp.send(letter, server=settings.SMTP, us=us)
    return message_id


def _record(delivery: Delivery, error: TransportError) -> None:
    if error.ours:
        log.error("delivery %s: the %s provider refuses us (%s)", delivery.pk, delivery.channel, error.code)
    if error.maybe_sent:
        # A code has no number of ours at the operator: it is never sent twice, and people can ask for another one.
        is_code = delivery.channel == Channel.SMS and CATALOGUE[delivery.event.message].sms_template
        delivery.doubt(None if is_code else timezone.now() + LOOK_UP_AFTER, error.code)
    elif error.permanent:
        with transaction.atomic():
            if delivery.park(error.code) if error.ours else delivery.refuse(error.code):
                _forget(delivery.event)
    else:
        _try_again(delivery, error.code)


def _try_again(delivery: Delivery, code: str) -> None:
    if delivery.tries >= TRIES_AT_MOST:
        delivery.park(code)
        return
    first, longest = (2, 60) if delivery.lane == Lane.CODES else (10, 1800)
    seconds = min(longest, first * 2 ** min(delivery.tries - 1, 10))
    delivery.try_again(timezone.now() + dt.timedelta(seconds=seconds * random.uniform(0.5, 1)), code)  # noqa: S311


def _look_up(delivery: Delivery) -> None:
    """Ask the operator for our own number before anything is sent a second time."""
    try:
        standing = sms_operator().find(delivery.local_ref)
    except TransportError:
        delivery.still_doubt(timezone.now() + 3 * LOOK_UP_AFTER)
        return
    doubted = delivery.attempts.latest("finished_at").finished_at
    if standing:
        delivery.accept(standing.ref, ask_at=timezone.now())
    elif timezone.now() - doubted > REMEMBERED:
        delivery.park("forgotten")
    else:
        _try_again(delivery, "not-found")


def _forget(event: Event) -> None:
    event.forget(CATALOGUE[event.message].secrets)


# --- sweep ------------------------------------------------------------------------------------------------------------


def tidy() -> Counter[str]:
    """Let go of what a dead worker held, and of what came out of date."""
    found: Counter[str] = Counter()
    for delivery in Delivery.objects.let_go().select_related("event"):
        is_code = delivery.channel == Channel.SMS and CATALOGUE[delivery.event.message].sms_template
        found["let go"] += delivery.doubt(None if is_code else timezone.now(), "lease")
    for delivery in Delivery.objects.out_of_date().select_related("event"):
        with transaction.atomic():
            if delivery.expire():
                _forget(delivery.event)
                found["expired"] += 1
    return found


def deliver_due(
    lane: str | None = None, *, waited: dt.timedelta = dt.timedelta(0), within: float | None = None
) -> Counter[str]:
    """One pass over what is due, codes first, without what is due for less than `waited`; `within` is in seconds."""
    outcomes: Counter[str] = Counter()
    ends = time.monotonic() + within if within else None
    for queue in [lane] if lane else Lane.values:
        due = Delivery.objects.unclaimed().filter(lane=queue, not_before__lte=timezone.now() - waited)
        for pk in list(due.order_by("not_before").values_list("pk", flat=True)):
            if ends and time.monotonic() > ends:
                return outcomes
            if outcome := deliver(pk):
                outcomes[outcome] += 1
    return outcomes


def sweep() -> Counter[str]:
    """Catch up on whatever a lost hint, a dead worker or a stopped relay left behind."""
    return tidy() + deliver_due(waited=dt.timedelta(seconds=30), within=60)


def ask_operator() -> Counter[str]:
    """Learn what became of SMS that the operator accepted, up to 500 a call."""
    found: Counter[str] = Counter()
    while asked := list(Delivery.objects.to_ask_about().defer("recipient").order_by("not_before")[:IDS_AT_MOST]):
        try:
            standings = {s.ref: s for s in sms_operator().standings(row.provider_ref for row in asked)}
        except TransportError as error:
            log.warning("the operator does not say what became of %d SMS (%s)", len(asked), error.code)
            break
        for delivery in asked:
            found[_learn(delivery, standings.get(delivery.provider_ref))] += 1
    return found


def _learn(delivery: Delivery, standing: Standing | None) -> str:
    status = standing.status if standing else 0
    if status == DELIVERED:
        delivery.arrive(timezone.now())
    elif status == BLOCKED or status in NOT_DELIVERED:
        delivery.fail(str(status))
    else:
        age = timezone.now() - (delivery.accepted_at or timezone.now())
        later = next((at for at in ASK_AT if at > age), None)
        delivery.ask_later(timezone.now() + later - age if later else None)
    return str(delivery.status)


# --- tickets ----------------------------------------------------------------------------------------------------------


def open_ticket(
    *,
    customer: Any,
    subject: str,
    text: str,
    files: Iterable[CleanFile] = (),
    token: uuid.UUID | None = None,
    author: Any = None,
) -> Ticket:
    """A new ticket. `token` is the form's own: the same form sent twice makes one ticket. `author` is who wrote for the
    customer, when that is a company.
    """
    author = author or customer
    if said := _said(author, token):
        return said.ticket
    try:
        with transaction.atomic():
            ticket = Ticket.objects.create(customer=customer, subject=subject)
            _say(ticket, author, text, files, token, customer)
            _tell_of(ticket, "ticket_opened", f"ticket_opened:{ticket.number}")
    except IntegrityError:
        if said := _said(author, token):  # both came at the same moment
            return said.ticket
        raise
    return ticket


def answer_ticket(
    *,
    ticket: Ticket,
    author: Any,
    text: str,
    files: Iterable[CleanFile] = (),
    token: uuid.UUID | None = None,
    acting_for: Any = None,
) -> TicketMessage:
    """Another turn in the conversation; the customer is told of ours."""
    if said := _said(author, token):
        return said
    try:
        with transaction.atomic():
            message = _say(ticket, author, text, files, token, acting_for)
            if message.is_staff:
                _tell_of(ticket, "ticket_answered", f"ticket_answered:{message.pk}")
    except IntegrityError:
        if said := _said(author, token):
            return said
        raise
    return message


def close_ticket(*, ticket: Ticket, by: Any, acting_for: Any = None) -> bool:
    """False when it was closed already."""
    with transaction.atomic():
        closed = ticket.close(by, acting_for)
        if closed:
            _tell_of(ticket, "ticket_closed", f"ticket_closed:{ticket.number}")
    return closed


def _said(author: Any, token: uuid.UUID | None) -> TicketMessage | None:
    if token is None:
        return None
    return TicketMessage.objects.filter(author=author, token=token).select_related("ticket").first()


def _say(
    ticket: Ticket, author: Any, text: str, files: Iterable[CleanFile], token: uuid.UUID | None, acting_for: Any
) -> TicketMessage:
    message = ticket.answer(author, text, token, acting_for)
    for file in files:
        message.attach(name=file.name, content_type=file.content_type, content=file.content)
    return message


def _tell_of(ticket: Ticket, message: str, key: str) -> None:
    url = settings.SITE_URL + ticket.get_absolute_url()
    context = {"number": str(ticket.number), "subject": ticket.subject, "url": url}
    tell(ticket.customer, message, about=f"ticket:{ticket.number}", context=context, key=key)
