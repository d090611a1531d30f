"""A ticket's conversation."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from notifications.attachments import CleanFile
from notifications.models import Ticket, TicketMessage

from .telling import tell


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
