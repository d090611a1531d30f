"""Every kind of notice in its reader's words, and why it cannot be switched off."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from notifications.messages import CATALOGUE, Message
from notifications.models import Purpose

# The policy's own sentences, word for word (policy/text/).
OWED = _(
    "Tickets, messages, invoices, notifications at the time of upgrading or disruption of services, and other documents"
    " related to your services will be sent via email and SMS to the email address and mobile number provided in your"
    " account."
)
CALLS = _(
    "we will only call your mobile number and phone number in special circumstances and in case of need for prompt"
    " notification"
)

KINDS: dict[str, Any] = {
    "phone_code": _("Codes to your mobile"),
    "login_code": _("Codes to sign in"),
    "confirm_email": _("Links to confirm an e-mail address"),
    "account_exists": _("Somebody tried to register with your address"),
    "password_reset": _("Links to choose a new password"),
    "password_changed": _("Your password was changed"),
    "contact_changed": _("Your e-mail or mobile was changed"),
    "contact_restored": _("A change of your e-mail or mobile was taken back"),
    "suspended": _("Your account was suspended"),
    "suspension_lifted": _("Your account is open again"),
    "company_invitation": _("Invitations to a company"),
    "company_member": _("Changes among the people of your company"),
    "exported": _("Your data was exported"),
    "second_factor": _("Your second factor was changed"),
    "new_device": _("A new device has signed in"),
    "photo_id_approved": _("The photo of your ID card was approved"),
    "photo_id_refused": _("The photo of your ID card was refused"),
    "photo_id_expired": _("The photo of your ID card is no longer valid"),
    "photo_id_asked_again": _("We need a new photo of your ID card"),
    "invoice_issued": _("New invoices"),
    "payment_received": _("Payments received"),
    "payment_not_applied": _("Payments that no invoice needed"),
    "payment_given_back": _("Money given back"),
    "credit_added": _("Money added to your credit"),
    "service_activated": _("A service was activated"),
    "ticket_opened": _("Your ticket has reached us"),
    "ticket_answered": _("Answers to your tickets"),
    "ticket_digest": _("Answers to your tickets in one message"),
    "ticket_closed": _("A ticket was closed"),
    "policy_published": _("New versions of our privacy policy"),
    "incident_opened": _("A disruption that touches your services"),
    "incident_updated": _("How a disruption goes on"),
    "incident_resolved": _("A disruption is over"),
    "maintenance_planned": _("Maintenance that touches your services"),
    "maintenance_changed": _("A new time of a maintenance"),
    "maintenance_reminder": _("A reminder before a maintenance"),
    "maintenance_started": _("A maintenance has begun"),
    "maintenance_done": _("A maintenance is done"),
    "maintenance_cancelled": _("A maintenance will not take place"),
}


def by_purpose() -> Iterator[tuple[str, list[tuple[Any, Message]]]]:
    """(purpose, [(what, the kind of message)]), in the order of the catalogue."""
    for purpose in Purpose:
        kinds = [(KINDS[kind.name], kind) for kind in CATALOGUE.values() if kind.purpose == purpose]
        yield str(purpose.label), kinds
