"""Accepting the policy at sign-up."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from policy import flows
from policy.models import Acceptance, Version
from portal.jalali import digits


class Tick(forms.CheckboxInput):
    """A box that says which text it accepts: its value is the hash of the version shown beside it."""

    def __init__(self, sha256: str = "") -> None:
        self.sha256 = sha256
        super().__init__(attrs={"value": sha256}, check_test=lambda value: value == sha256)

    def format_value(self, value: Any) -> None:
        """Never what came in: the hash in `attrs` stands."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return data.get(name, "")


class AcceptPolicyForm(forms.Form):
    """The base of allauth's sign-up form (ACCOUNT_SIGNUP_FORM_CLASS)."""

    policy = forms.CharField(
        error_messages={"required": gettext_lazy("Please read the privacy policy and tick this box.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = get_language() or "fa"
        self.shown = Version.objects.in_force(language)
        field = self.fields["policy"]
        field.widget = Tick(self.shown.sha256 if self.shown else "")
        field.widget.is_required = True
        if self.shown:
            words = _("privacy policy (version %(n)s)") % {"n": digits(self.shown.number, language)}
            link = format_html(
                '<a href="{}" target="_blank" rel="noopener">{}</a>', self.shown.get_absolute_url(), words
            )
            field.label = format_html(_("I have read the {link} and accept it."), link=link)

    def clean_policy(self) -> Version:
        """The version that was shown. It must still be in force, in whichever language it was read."""
        given = Version.objects.filter(sha256=self.cleaned_data["policy"]).first()
        if given and given == Version.objects.in_force(given.locale):
            return given
        number = digits(self.shown.number, self.shown.locale) if self.shown else ""
        words = _("The policy changed while you were reading. Please read version %(n)s and tick the box again.")
        raise ValidationError(words % {"n": number}, code="changed")

    def signup(self, request: HttpRequest, user: Any) -> None:
        """allauth calls this once the account is saved."""
        flows.accept(customer=user, version=self.cleaned_data["policy"], how=Acceptance.How.SIGN_UP)
