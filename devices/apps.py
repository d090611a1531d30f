"""What customers sign in with, and where."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DevicesConfig(AppConfig):
    name = "devices"
    verbose_name = _("Devices")

    def ready(self) -> None:
        from allauth.account.signals import password_changed, password_reset
        from django.contrib.auth.signals import user_logged_in, user_logged_out

        from accounts.flows import sessions_ended
        from devices import middleware

        user_logged_in.connect(middleware.on_sign_in, dispatch_uid="devices.sign_in")
        user_logged_out.connect(middleware.on_sign_out, dispatch_uid="devices.sign_out")
        sessions_ended.connect(middleware.on_sessions_ended, dispatch_uid="devices.sessions_ended")
        password_changed.connect(middleware.on_new_password, dispatch_uid="devices.password_changed")
        password_reset.connect(middleware.on_new_password, dispatch_uid="devices.password_reset")
