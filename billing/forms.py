"""Choosing an option, and pressing a button once."""

import re
import secrets
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import Option, Plan
from portal.jalali import TO_LATIN, toman
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
    """Which gateway, how much of what is due, and the token that makes two presses one attempt."""

    gateway = forms.SlugField(max_length=16, error_messages={"required": _("Please choose how to pay.")})
    part = forms.CharField(max_length=40, required=False)
    whole = forms.BooleanField(required=False)
    form_token = forms.RegexField(r"^[A-Za-z0-9_-]{16,64}\Z", required=False)

    def clean_part(self) -> int | None:
        """Toman as people type them, with any digits and separators; Rials, or nothing for all of it."""
        if self.data.get("whole"):  # the button that pays all of it, whatever was typed before
            return None
        typed = re.sub(r"[\s,٬،.]", "", self.cleaned_data["part"].translate(TO_LATIN))
        if not typed:
            return None
        if not re.fullmatch(r"[0-9]{1,12}", typed):
            raise forms.ValidationError(_("Please type the amount in digits, in Toman."))
        return int(typed) * 10

    def clean_form_token(self) -> str:
        return self.cleaned_data["form_token"] or new_form_token()
