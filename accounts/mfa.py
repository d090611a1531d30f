"""Second factors: what django-allauth's `mfa` asks of us."""

from typing import Any

import qrcode
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy

from accounts.models import Customer

STRONG = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)  # what counts as a second factor; codes are spare keys


class Factors(DefaultMFAAdapter):
    """Nothing of a person stands in what their app or phone shows beside the account."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("This code is not right. Please look for the newest one."),
        "cannot_delete_authenticator": gettext_lazy("Our staff need a second factor. Please set up another one first."),
    }

    def _get_user_identifier(self, user: Any) -> str:
        return str(user.ref)

    def get_totp_issuer(self) -> str:
        return "Yaghout"

    def build_totp_svg(self, url: str) -> str:
        """A QR code (ISO/IEC 18004) as one path without style, which the page's rules would not let through."""
        code = qrcode.QRCode(border=4)
        code.add_data(url)
        rows = code.get_matrix()
        dark = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
        size = len(rows)
        return (
            f'<svg class="qr" viewBox="0 0 {size} {size}" role="img" aria-label="{gettext("QR code")}">'
            f'<rect width="{size}" height="{size}" fill="#fff"/><path d="{dark}" fill="#000"/></svg>'
        )

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return not (authenticator.user.is_staff and is_last(authenticator))

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return gettext("Passkey %(number)s") % {"number": count + 1}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": context.request.get_host().partition(":")[0], "name": "Yaghout"}


def is_last(authenticator: Authenticator) -> bool:
    """Whether nothing else than this would be asked for at the next sign-in."""
    others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=STRONG).exclude(pk=authenticator.pk)
    return authenticator.type in STRONG and not others.exists()


def has_second_factor(customer: Customer) -> bool:
    return bool(Authenticator.objects.filter(user_id=customer.pk, type__in=STRONG).exists())


def used_second_factor(request: HttpRequest) -> bool:
    """Whether this very session was opened with one, or has asked for it since."""
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, request.user))
