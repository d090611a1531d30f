"""Every message that we may send: why, how soon, by which channels, and what its words may hold."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext_noop

from notifications.models import Channel, Lane, Purpose
from notifications.placeholders import Kind

BOTH = (Channel.EMAIL, Channel.SMS)


@dataclass(frozen=True)
class Message:
    """One kind of message.

    `placeholders` are the values that its words may hold, and all that they may. `phrases` are what a choice means, in
    words that the release translates. `secrets` are values that are forgotten once it is handed over. One that
    `can_wait` comes after its reader's quiet hours, one that `can_gather` comes in a digest to those who want one.
    """

    name: str
    purpose: Purpose
    lane: Lane
    channels: tuple[Channel, ...] = BOTH
    sms_template: str | None = None  # of the operator's verify/lookup; the language's code is added to it
    expires_in: dt.timedelta | None = None
    secrets: tuple[str, ...] = ()
    placeholders: Mapping[str, Kind] = field(default_factory=dict)
    phrases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    can_wait: bool = False
    can_gather: bool = False


_EMAIL, _SMS = (Channel.EMAIL,), (Channel.SMS,)
_CODE, _URL = {"code": Kind.CODE}, {"url": Kind.URL}
_PHOTO = {"reason": Kind.TEXT, **_URL}
_PAID = {"number": Kind.NUMBER, "amount": Kind.MONEY, **_URL}
_TICKET = {"number": Kind.NUMBER, "subject": Kind.TEXT, **_URL}
_DIGEST = {"count": Kind.COUNT, "lines": Kind.LINES, "numbers": Kind.TEXT, "more": Kind.COUNT, **_URL}
_INCIDENT = {"components": Kind.TEXT, "severity": Kind.TEXT, "at": Kind.MOMENT, **_URL}
_MAINTENANCE = {"components": Kind.TEXT, "at": Kind.MOMENT, "until": Kind.MOMENT, **_URL}
CATALOGUE: dict[str, Message] = {
    message.name: message
    for message in (
        Message(
            *("phone_code", Purpose.CODE, Lane.CODES, _SMS, "phone-code", dt.timedelta(minutes=5)),
            secrets=("code",),
            placeholders=_CODE,
        ),
        Message(
            *("login_code", Purpose.CODE, Lane.CODES, _EMAIL),
            expires_in=dt.timedelta(minutes=5),
            secrets=("code",),
            placeholders=_CODE,
        ),
        Message(
            *("confirm_email", Purpose.CODE, Lane.CODES, _EMAIL),
            expires_in=dt.timedelta(days=1),
            secrets=("url",),
            placeholders=_URL,
        ),
        Message("account_exists", Purpose.SECURITY, Lane.MONEY),
        Message(
            *("password_reset", Purpose.SECURITY, Lane.CODES, _EMAIL),
            expires_in=dt.timedelta(hours=1),
            secrets=("url",),
            placeholders=_URL,
        ),
        Message("password_changed", Purpose.SECURITY, Lane.MONEY),
        Message(
            *("contact_changed", Purpose.SECURITY, Lane.MONEY),
            expires_in=dt.timedelta(hours=72),
            secrets=("url",),
            placeholders={"what": Kind.CHOICE, "until": Kind.MOMENT, **_URL},
            phrases={"what": {"email": gettext_noop("e-mail address"), "mobile": gettext_noop("mobile number")}},
        ),
        Message("contact_restored", Purpose.SECURITY, Lane.MONEY),
        Message("suspended", Purpose.SECURITY, Lane.MONEY, placeholders={"why": Kind.TEXT}),
        Message("suspension_lifted", Purpose.SECURITY, Lane.MONEY),
        Message(
            *("company_invitation", Purpose.CODE, Lane.CODES, _EMAIL),
            expires_in=dt.timedelta(days=7),
            secrets=("url",),
            placeholders={"company": Kind.TEXT, "role": Kind.CHOICE, **_URL},
            phrases={
                "role": {
                    "owner": gettext_noop("Your role: owner."),
                    "billing": gettext_noop("Your role: billing."),
                    "technical": gettext_noop("Your role: technical."),
                }
            },
        ),
        Message(
            *("company_member", Purpose.SECURITY, Lane.MONEY),
            placeholders={"what": Kind.CHOICE, "company": Kind.TEXT, "person": Kind.TEXT, "role": Kind.TEXT},
            phrases={
                "what": {
                    "joined": gettext_noop("A new member acts for the company"),
                    "left": gettext_noop("A member no longer acts for the company"),
                    "role": gettext_noop("A role in the company was changed"),
                }
            },
        ),
        Message("exported", Purpose.SECURITY, Lane.MONEY),
        Message(
            *("second_factor", Purpose.SECURITY, Lane.MONEY),
            placeholders={"what": Kind.CHOICE},
            phrases={
                "what": {
                    "totp_activated": gettext_noop("An authenticator app was set up"),
                    "totp_deactivated": gettext_noop("The authenticator app was removed"),
                    "webauthn_added": gettext_noop("A passkey was added"),
                    "webauthn_removed": gettext_noop("A passkey was removed"),
                    "recovery_codes_generated": gettext_noop("New recovery codes were made"),
                    "recovery_code_used": gettext_noop("A recovery code was used"),
                }
            },
        ),
        Message(
            *("new_device", Purpose.SECURITY, Lane.MONEY),
            placeholders={"device": Kind.TEXT, "at": Kind.MOMENT, **_URL},
        ),
        Message("photo_id_approved", Purpose.SERVICE, Lane.TICKETS, can_wait=True),
        Message("photo_id_refused", Purpose.SERVICE, Lane.TICKETS, placeholders=_PHOTO, can_wait=True),
        Message("photo_id_expired", Purpose.SERVICE, Lane.TICKETS, placeholders=_URL, can_wait=True),
        Message("photo_id_asked_again", Purpose.SERVICE, Lane.TICKETS, placeholders=_PHOTO, can_wait=True),
        Message(
            *("invoice_issued", Purpose.MONEY, Lane.MONEY),
            placeholders={"number": Kind.NUMBER, "total": Kind.MONEY, "due_on": Kind.DAY, **_URL},
        ),
        Message(
            *("payment_received", Purpose.MONEY, Lane.MONEY),
            placeholders={**_PAID, "receipt": Kind.RECEIPT, "at": Kind.MOMENT},
        ),
        Message("payment_not_applied", Purpose.MONEY, Lane.MONEY, placeholders=_PAID),
        Message("payment_given_back", Purpose.MONEY, Lane.MONEY, placeholders=_PAID),
        Message("credit_added", Purpose.MONEY, Lane.MONEY, placeholders=_PAID),
        Message("service_activated", Purpose.SERVICE, Lane.MONEY, placeholders={"name": Kind.TEXT, **_URL}),
        Message("ticket_opened", Purpose.TICKET, Lane.TICKETS, placeholders=_TICKET, can_wait=True),
        Message(
            *("ticket_answered", Purpose.TICKET, Lane.TICKETS), placeholders=_TICKET, can_wait=True, can_gather=True
        ),
        Message("ticket_digest", Purpose.TICKET, Lane.TICKETS, placeholders=_DIGEST, can_wait=True),
        Message("ticket_closed", Purpose.TICKET, Lane.TICKETS, placeholders=_TICKET, can_wait=True),
        Message(
            *("policy_published", Purpose.LEGAL, Lane.BULK),
            placeholders={"version": Kind.NUMBER, "effective": Kind.DAY, **_URL},
        ),
        Message("incident_opened", Purpose.SERVICE, Lane.BULK, placeholders=_INCIDENT),
        Message("incident_updated", Purpose.SERVICE, Lane.BULK, placeholders={**_INCIDENT, "status": Kind.TEXT}),
        Message("incident_resolved", Purpose.SERVICE, Lane.BULK, placeholders={**_INCIDENT, "until": Kind.MOMENT}),
        Message("maintenance_planned", Purpose.SERVICE, Lane.BULK, placeholders=_MAINTENANCE),
        Message("maintenance_changed", Purpose.SERVICE, Lane.BULK, placeholders=_MAINTENANCE),
        Message("maintenance_reminder", Purpose.SERVICE, Lane.BULK, placeholders=_MAINTENANCE),
        Message("maintenance_started", Purpose.SERVICE, Lane.BULK, placeholders=_MAINTENANCE),
        Message("maintenance_done", Purpose.SERVICE, Lane.BULK, placeholders=_MAINTENANCE),
        Message("maintenance_cancelled", Purpose.SERVICE, Lane.BULK, placeholders=_MAINTENANCE),
    )
}
