"""Who a customer is, and who has seen it."""

from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Customers")

    def ready(self) -> None:
        from allauth.account.signals import email_changed
        from allauth.mfa.models import Authenticator
        from allauth.mfa.signals import authenticator_used

        from accounts.adapter import Adapter
        from accounts.flows import contact_changed

        def on_factor_used(user: Any, authenticator: Authenticator, **_: Any) -> None:
            if authenticator.type == Authenticator.Type.RECOVERY_CODES:
                Adapter().send_notification_mail("mfa/email/recovery_code_used", user)

        authenticator_used.connect(on_factor_used, weak=False, dispatch_uid="accounts.tell_recovery_code_used")

        def on_email_changed(user: Any, from_email_address: Any, **_: Any) -> None:
            if from_email_address:
                contact_changed(customer=user, what="email", old=from_email_address.email)

        email_changed.connect(on_email_changed, weak=False, dispatch_uid="accounts.tell_old_email")
