"""Send again what did not arrive: one of us decides so, for one of few reasons."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from notifications.messages import CATALOGUE
from notifications.models import Broadcast, Channel, Delivery, Resend, Suppression

S = Delivery.Status


class CannotResend(Exception):
    """In the reader's words: why it is not sent again."""


def send_again(*, delivery: Delivery, by: Any, why: str) -> bool:
    """Put it back to be sent, to its reader's address of now; `why` is of Resend.Why. False when it waits already."""
    with transaction.atomic():
        rows = Delivery.objects.select_for_update(of=("self",)).defer("recipient")
        row = rows.select_related("event__customer", "reader").get(pk=delivery.pk)
        if row.status == S.QUEUED:
            return False
        if reason := why_not(row):
            raise CannotResend(reason)
        row.send_again(in_new_words=why == Resend.Why.WORDS)
        Resend.objects.create(delivery=row, by=by, why=why)
    return True


def why_not(delivery: Delivery) -> str:
    """Why it is not to be sent again; empty when it may be."""
    return _stands_otherwise(delivery) or _has_no_words(delivery) or _has_no_place(delivery)


def _stands_otherwise(delivery: Delivery) -> str:
    match delivery.status:
        case S.PARKED | S.UNDELIVERED | S.BLOCKED:
            return ""
        case S.SUPPRESSED if delivery.last_code in Delivery.MENDABLE:
            return ""
        case S.SUPPRESSED:
            return _("It was stopped for good, and stays so.")
        case S.DELIVERED | S.DIGESTED:
            return _("It has arrived.")
        case S.EXPIRED:
            return _("Its time is over; late it would be of no use.")
        case _status:
            return _("It is on its way and may still arrive.")


def _has_no_words(delivery: Delivery) -> str:
    event = delivery.event
    # A link that undoes a change of address was for the old address alone: the one of now may be the thief's.
    if CATALOGUE[event.message].secrets:
        return _("Codes and links are never sent a second time; the customer can ask for a new one.")
    if event.context is None and event.broadcast_id is None:
        return _("Its words were deleted with the account.")
    if not Delivery.objects.in_date().filter(pk=delivery.pk).exists():
        return _("Its time is over; late it would be of no use.")
    if event.broadcast_id and Broadcast.objects.held().filter(pk=event.broadcast_id).exists():
        return _("Its broadcast is paused or was stopped.")
    return ""


def _has_no_place(delivery: Delivery) -> str:
    event, reader = delivery.event, delivery.reader
    if reader is None or (reader != event.customer and reader not in event.customer.readers(event.purpose)):
        return _("Whom it was for does not read this customer's messages any more.")
    if not (reader.email if delivery.channel == Channel.EMAIL else reader.mobile):
        return _("The account has no address for this channel.")
    if Suppression.objects.stopping([delivery]):
        return _("Letters to this address come back. Ask whether it is right, and let it be written to again first.")
    return ""
