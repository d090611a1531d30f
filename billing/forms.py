"""Choosing an option, and pressing a button once."""

import secrets
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import Option, Plan
from portal.jalali import toman
from portal.templatetags.words import language


def new_form_token() -> str:
    return secrets.token_urlsafe(16)


class OptionChoice(forms.ModelChoiceField):
    def label_from_instance(self, option: Option) -> str:
        return _("%(name)s (+ %(price)s a month)") % {
            "name": option.name,
            "price": toman(option.monthly_price, language()),
        }


class ChooseForm(forms.Form):
    """Which option goes with the plan; none is a choice too."""

    option = OptionChoice(
        queryset=Option.objects.none(),
        to_field_name="slug",
        required=False,
        blank=True,
        empty_label=_("Without an option"),
        label=_("Option"),
        help_text=_("You can do without it."),
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("This plan has no such option. Please choose from the list.")},
    )

    def __init__(self, *args: Any, plan: Plan, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["option"].queryset = plan.options.all()  # type: ignore[attr-defined]


class OrderForm(ChooseForm):
    """The summary's button: the choice again, and the token that makes two presses one order."""

    form_token = forms.RegexField(r"^[A-Za-z0-9_-]{16,64}\Z", widget=forms.HiddenInput)

    def __init__(self, *args: Any, plan: Plan, **kwargs: Any) -> None:
        super().__init__(*args, plan=plan, **kwargs)
        self.fields["option"].widget = forms.HiddenInput()


class PayForm(forms.Form):
    """Which gateway, and the token that makes two presses one attempt."""

    gateway = forms.SlugField(max_length=16)
    form_token = forms.RegexField(r"^[A-Za-z0-9_-]{16,64}\Z", required=False)

    def clean_form_token(self) -> str:
        return self.cleaned_data["form_token"] or new_form_token()
