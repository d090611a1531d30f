"""What people type about themselves."""

import datetime as dt
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import jdatetime
from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts import iran
from accounts.models import Customer
from portal import jalali


class DayField(forms.CharField):
    """A day in the Jalali or the Gregorian calendar; which one is plain from the year."""

    def prepare_value(self, value: Any) -> Any:
        """A stored day in the calendar of the page's language; what was typed stays as it was typed."""
        if not isinstance(value, dt.date):
            return value
        return jalali.short_day(value) if get_language() == "fa" else value.isoformat()

    def clean(self, value: Any) -> dt.date | None:
        text = iran.clean_number(super().clean(value).replace("-", "/").replace(".", "/"))
        if not text:
            return None
        if match := re.fullmatch(r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})", text):
            year, month, number = (int(part) for part in match.groups())
            with suppress(ValueError):
                return (
                    jdatetime.date(year, month, number).togregorian() if year < 1700 else dt.date(year, month, number)
                )
        raise ValidationError(_("Please write a date such as 1370/05/14 or 1991-08-05."), code="date")


class DateOfBirthField(DayField):
    """A day within a lifetime."""

    def clean(self, value: Any) -> dt.date | None:
        day = super().clean(value)
        if day and not dt.date(1900, 1, 1) <= day <= timezone.localdate():
            raise ValidationError(_("This date lies outside a lifetime. Please check the year."), code="date")
        return day


class NumberField(forms.CharField):
    """Digits in any way of writing; `clean_with` of accounts/iran.py makes them what we store. Empty is None."""

    def __init__(self, clean_with: Callable[[str], str], **kwargs: Any) -> None:
        self.clean_with = clean_with
        super().__init__(**kwargs)

    def clean(self, value: Any) -> str | None:
        text = super().clean(value)
        return self.clean_with(text) if text else None


def number_field(label: Any, clean: Callable[[str], str], hint: Any, *, required: bool = True) -> NumberField:
    widget = forms.TextInput(attrs={"inputmode": "numeric", "dir": "ltr"})
    return NumberField(clean, label=label, help_text=hint, max_length=30, widget=widget, required=required)


class ProfileForm(forms.ModelForm):
    """Who you are. E-mail and mobile are not here: changing them needs a proof of its own."""

    birth_date = DateOfBirthField(
        label=_("Date of birth"),
        help_text=_("Jalali or Gregorian, for example 1370/05/14 or 1991-08-05."),
        max_length=12,
        widget=forms.TextInput(attrs={"autocomplete": "bday", "dir": "ltr"}),
    )
    national_code = number_field(_("National code"), iran.national_code, _("10 digits, as on your national card."))
    landline = number_field(_("Landline"), iran.landline, _("With area code. You may leave it empty."), required=False)
    address = forms.CharField(
        label=_("Postal address"),
        help_text=_("City, street, number and unit."),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "street-address"}),
    )
    postal_code = number_field(_("Postal code"), iran.postal_code, _("10 digits, without a dash."))

    class Meta:
        model = Customer
        fields = (
            "name",
            "surname",
            "gender",
            "birth_date",
            "national_code",
            "landline",
            "address",
            "postal_code",
            "language",
        )
        labels = {"language": _("Language of our messages")}
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "given-name"}),
            "surname": forms.TextInput(attrs={"autocomplete": "family-name"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("name", "surname"):
            self.fields[name].required = True

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for name in ("name", "surname", "address"):
            if cleaned.get(name):
                cleaned[name] = iran.persian_letters(cleaned[name])
        return cleaned
