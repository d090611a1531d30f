"""Signing up and signing in, with one factor or two."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import ConfirmLoginCodeForm, RequestLoginCodeForm, VerifyPhoneForm
from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm as AllauthActivateTotpForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import iran
from accounts.adapter import RESERVED
from accounts.models import ContactChange, Customer


class _CodeField(forms.CharField):
    """A code of an app or of the paper, in whichever digits the keyboard writes."""

    def __init__(self) -> None:
        attributes = {"inputmode": "numeric", "autocomplete": "one-time-code", "dir": "ltr"}
        super().__init__(label=_("Code"), max_length=20, widget=forms.TextInput(attrs=attributes))

    def clean(self, value: Any) -> str:
        return iran.clean_number(super().clean(value))


class SignupForm(AllauthSignupForm):
    """E-mail, mobile and password; the acceptance of the policy comes from policy/forms.py."""

    account_already_exists: bool  # allauth sets it when the e-mail or mobile is taken

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail")
        self.fields["email"].help_text = _("We send a link here to confirm it.")
        self.fields["phone"].help_text = _("We send a code here by SMS, for example 0912 123 4567.")
        self.fields["password1"].help_text = _("At least 10 characters. A few words together are easy to remember.")
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
        self.order_fields(["email", "phone", "password1", "policy"])

    def try_save(self, request: HttpRequest) -> Any:
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])  # or a taken address would answer sooner than a free one
        try:
            outcome = super().try_save(request)
        except IntegrityError:  # another sign-up with this e-mail or mobile came at the same moment
            self.account_already_exists = True
            outcome = super().try_save(request)
        if self.account_already_exists:  # allauth tells only the owner of a taken mobile
            get_adapter().send_account_already_exists_mail(self.cleaned_data["email"])
        return outcome

    @transaction.atomic
    def save(self, request: HttpRequest) -> Customer:
        """No customer without the acceptance of the policy."""
        customer: Customer = super().save(request)
        return customer


class LoginForm(AllauthLoginForm):
    """E-mail or mobile, and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("E-mail or mobile number")
        self.fields["login"].widget.attrs.update(autocomplete="username", dir="ltr")
        self.fields["password"].help_text = ""
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)

    def clean_login(self) -> Any:
        """A mobile in any way of writing is the same mobile."""
        login = self.cleaned_data["login"].strip()
        if "@" not in login:
            try:
                return iran.mobile(login)
            except ValidationError:
                pass
        return login


class CodeRequestForm(RequestLoginCodeForm):
    """E-mail or mobile, to which a code is sent instead of typing a password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        widget = forms.TextInput(attrs={"autocomplete": "username", "dir": "ltr"})
        self.fields = {"login": forms.CharField(label=_("E-mail or mobile number"), max_length=254, widget=widget)}

    def clean_login(self) -> str:
        """Told apart by its shape, then looked for as allauth does it."""
        login: str = self.cleaned_data["login"].strip()
        if "@" in login:
            self.cleaned_data["email"] = forms.EmailField().clean(login)
            self.clean_email()
        else:
            self.cleaned_data["phone"] = iran.mobile(login)
            self.clean_phone()
        return login


class LoginCodeForm(ConfirmLoginCodeForm):
    """The code that was sent, in whichever digits the keyboard writes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = _CodeField()


class CodeForm(VerifyPhoneForm):
    """The code from an SMS, in whichever digits the keyboard writes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = _CodeField()

    def clean_code(self) -> str:
        code: str = super().clean_code()
        if self.user and ContactChange.objects.reserved(self.phone, against=self.user):
            raise ValidationError(RESERVED, code="reserved")
        return code


class ActivateTotpForm(AllauthActivateTotpForm):
    code = _CodeField()


class FactorForm(AuthenticateForm):
    """At sign-in: the app's code, or one of the recovery codes."""

    code = _CodeField()


class FactorAgainForm(ReauthenticateForm):
    """Before a step that matters."""

    code = _CodeField()


class AddPasskeyForm(AddWebAuthnForm):
    """Every key that is added can sign in by itself."""

    name = forms.CharField(
        label=_("What you call this passkey"),
        help_text=_("For example: my phone. Only you see it."),
        max_length=60,
        required=False,
    )
    passwordless = forms.BooleanField(widget=forms.HiddenInput, initial=True)
