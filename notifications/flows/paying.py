"""Whether the companies that carry our messages are paid."""

import logging

from notifications import channels
from notifications.channels import TransportError
from notifications.models import Carrier

log = logging.getLogger(__name__)


def look_at_credit() -> None:
    """Read what is left on each account; what waited for an empty one goes on by itself once it is paid."""
    for each in channels.sms_carriers():
        try:
            credit = each.credit()
        except TransportError as error:
            log.warning("%s does not say what credit is left (%s)", each.slug, error.code)
            continue
        if Carrier.objects.meet(each.slug).note_credit(credit):
            log.warning("the account at %s is paid again: what waited goes on", each.slug)
