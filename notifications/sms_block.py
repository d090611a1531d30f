"""When a reader's operator keeps our SMS from her, and how she can end that."""

from typing import Any

from django.utils.translation import gettext as _

from notifications.models import Channel, Delivery, Lane

Status = Delivery.Status
# What follows +98, as the operators number their own; who moved to another operator keeps it.
HAMRAH_E_AVAL, IRANCELL = ("91", "990", "991", "992", "993", "994"), ("90", "93", "941")


def advice(reader: Any) -> str:
    """How to lift the block; empty while there is none."""
    return how_to_lift(reader.mobile) if is_blocked(reader) else ""


def is_blocked(reader: Any) -> bool:
    """Whether the last SMS of known fate was blocked. Codes do not count: their way goes past such blocks."""
    told = Delivery.objects.defer("recipient").filter(
        reader=reader, channel=Channel.SMS, status__in=(Status.BLOCKED, Status.DELIVERED)
    )
    last = told.exclude(lane=Lane.CODES).order_by("-accepted_at").first()
    return last is not None and last.status == Status.BLOCKED


def how_to_lift(mobile: str | None) -> str:
    """What to dial, by the first digits of the number."""
    digits = (mobile or "").removeprefix("+98")
    if digits.startswith(HAMRAH_E_AVAL):
        return _("Dial *800# on this mobile and switch advertising SMS on, or call 8999.")
    if digits.startswith(IRANCELL):
        return _("Dial 5005 on this mobile, or text to it, and switch advertising SMS on.")
    return _("Ask your operator to switch advertising SMS on for this mobile.")
