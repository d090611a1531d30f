"""What django-allauth asks of us: how a customer is found and reached, and in whose words."""

import secrets
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.utils import filter_users_by_email
from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts import iran
from accounts.flows import contact_changed, make_way
from accounts.models import ContactChange, Customer
from notifications.flows import lift_suppression, tell

# Said only to who proved that they read what is sent there.
RESERVED = _("This belonged to another account until lately, and can be used here after three days.")


class MobileField(forms.CharField):
    """A mobile number in any way of writing; cleans to `+989XXXXXXXXX`."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel", "dir": "ltr"})
        super().__init__(**{"max_length": 20, "widget": widget, **kwargs})

    def clean(self, value: Any) -> str:
        value = super().clean(value)
        return iran.mobile(value) if value else ""


class Adapter(DefaultAccountAdapter):
    """Codes by SMS, links by e-mail, both through the outbox; nothing said about who has an account."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _("This e-mail and password do not belong together."),
        "phone_password_mismatch": _("This mobile and password do not belong together."),
        "too_many_login_attempts": _("Too many wrong tries. Please wait five minutes and sign in again."),
        "incorrect_code": _("This code is not right. Please compare it with the newest message."),
    }

    def new_user(self, request: HttpRequest) -> Customer:
        return Customer(language=get_language() or "fa")

    def post_login(self, request: HttpRequest, user: Customer, **kwargs: Any) -> HttpResponse:
        """On a device that has not chosen a language, the account's language speaks."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                user.language,
                max_age=settings.LANGUAGE_COOKIE_AGE,
                secure=settings.LANGUAGE_COOKIE_SECURE,
                httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
                samesite="Lax",
            )
        return response

    # --- phone ---------------------------------------------------------------------------------------------------

    def phone_form_field(self, **kwargs: Any) -> MobileField:
        return MobileField(**{**kwargs, "label": _("Mobile number")})

    def generate_phone_verification_code(self, *, user: Any, phone: str) -> str:
        return self.generate_login_code()

    def generate_login_code(self) -> str:
        return f"{secrets.randbelow(1_000_000):06d}"

    def set_phone(self, user: Customer, phone: str, verified: bool) -> None:
        user.mobile, user.mobile_verified_at = phone, timezone.now() if verified else None
        if not user._state.adding:
            user.save(update_fields=["mobile", "mobile_verified_at"])

    def set_phone_verified(self, user: Customer, phone: str) -> None:
        old, was_verified = user.mobile, user.mobile_verified_at
        self.set_phone(user, phone, verified=True)
        lift_suppression(reader=user, channel="sms", why="confirmed")
        if was_verified and old != phone:
            contact_changed(customer=user, what=ContactChange.What.MOBILE, old=old)

    def get_phone(self, user: Customer) -> tuple[str, bool] | None:
        return (user.mobile, user.mobile_verified_at is not None) if user.mobile else None

    def get_user_by_phone(self, phone: str) -> Customer | None:
        try:
            owner: Customer | None = Customer.objects.filter(mobile=iran.mobile(phone)).first()
        except ValidationError:
            return None
        return owner

    def send_verification_code_sms(self, user: Customer, phone: str, code: str, **kwargs: Any) -> None:
        self._tell(user, "phone_code", context={"code": code}, to={"sms": phone})

    def send_account_already_exists_sms(self, phone: str) -> None:
        if owner := self.get_user_by_phone(phone):
            self._say_it_exists(owner)

    def send_unknown_account_sms(self, phone: str, **kwargs: Any) -> None:
        """Strangers get nothing from us."""

    # --- e-mail --------------------------------------------------------------------------------------------------

    def send_account_already_exists_mail(self, email: str) -> None:
        if owner := Customer.objects.filter(email=email).first():
            self._say_it_exists(owner)

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        if ContactChange.objects.reserved(email_address.email, against=email_address.user):
            messages.error(request, RESERVED)
            return False
        with transaction.atomic():
            make_way(owner=email_address.user, email=email_address.email)
            confirmed: bool = super().confirm_email(request, email_address)
            if confirmed:
                lift_suppression(reader=email_address.user, channel="email", why="confirmed")
        return confirmed

    def _say_it_exists(self, owner: Customer) -> None:
        hour = timezone.now().strftime("%Y%m%d%H")
        with transaction.atomic():
            tell(owner, "account_exists", about="account", key=f"account_exists:{owner.ref}:{hour}")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """allauth's mails, as messages of our catalogue; `template_prefix` is allauth's name for them."""
        match template_prefix.removeprefix("account/email/"):
            case "email_confirmation" | "email_confirmation_signup":
                message, words = "confirm_email", {"url": context["activate_url"]}
            case "password_reset_key":
                message, words = "password_reset", {"url": context["password_reset_url"]}
            case "login_code":  # the one for which allauth names no user
                message, words = "login_code", {"code": context["code"]}
                found = filter_users_by_email(email, is_active=True, prefer_verified=True)
                context = context | {"user": found[0]}
            case other:
                raise LookupError(f"no message of our catalogue for {other}")
        self._tell(context["user"], message, context=words, to={"email": email})

    def send_notification_mail(
        self, template_prefix: str, user: Customer, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """A new password or factor is told on both channels; a changed address by accounts/flows/contact.py."""
        if template_prefix.removeprefix("account/email/") in ("password_reset", "password_changed", "password_set"):
            self._tell(user, "password_changed")
        elif template_prefix.startswith("mfa/email/"):
            self._tell(user, "second_factor", context={"what": template_prefix.removeprefix("mfa/email/")})

    def _tell(self, customer: Customer, message: str, **more: Any) -> None:
        with transaction.atomic():
            tell(customer, message, about="account", key=f"{message}:{secrets.token_hex(8)}", **more)
