"""Who is signed in, and who may set a new password."""

import uuid
from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.models import EmailAddress
from django.contrib.auth.tokens import PasswordResetTokenGenerator

from accounts.models import Customer
from portal.prepared import Prepared

_EXAMPLE = uuid.uuid4()
_by_id = Prepared(lambda pk: Customer.objects.filter(pk=pk), _EXAMPLE)


class Backend(AuthenticationBackend):
    """allauth's sign-in by e-mail or mobile; the signed-in customer of each request by one prepared query."""

    def get_user(self, user_id: Any) -> Customer | None:
        customer = next(iter(_by_id(user_id)), None)
        return customer if customer and self.user_can_authenticate(customer) else None


class ResetTokens(PasswordResetTokenGenerator):
    """A link for a new password dies, as allauth's own, when an address of the account changes."""

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        tags = EmailAddress.objects.filter(user=user).order_by("email_bi").values_list("email_bi", flat=True)
        return super()._make_hash_value(user, timestamp) + "|".join(str(tag) for tag in tags)
