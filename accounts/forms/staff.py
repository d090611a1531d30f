"""What staff type: whom they look for, and why."""

from contextlib import suppress
from typing import cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts import iran
from accounts.models import Customer


class ReasonForm(forms.Form):
    """Why a member of staff needs to see personal information; the customer reads that they looked."""

    why = forms.CharField(
        label=_("Why do you need to see this?"),
        help_text=_("The customer sees who looked, when and why."),
        widget=UnfoldAdminTextInputWidget,
        min_length=5,
        max_length=300,
    )


class RefusalForm(forms.Form):
    """What the customer reads when a photo is refused."""

    reason = forms.CharField(
        label=_("Reason that the customer reads"),
        help_text=_("For example: the number cannot be read, please take it in daylight."),
        widget=UnfoldAdminTextInputWidget,
        min_length=5,
        max_length=300,
    )


class FindForm(forms.Form):
    """An exact e-mail, mobile or national code."""

    what = forms.CharField(
        label=_("E-mail, mobile or national code"), max_length=254, widget=UnfoldAdminTextInputWidget
    )

    def customer(self) -> Customer | None:
        """Whose it is; found by blind index."""
        text = self.cleaned_data["what"].strip()
        if "@" in text:
            return cast("Customer | None", Customer.objects.filter(email=text).first())
        found: Customer | None = None
        for field, clean in (("mobile", iran.mobile), ("national_code", iran.national_code)):
            with suppress(ValidationError):
                found = found or Customer.objects.filter(**{field: clean(text)}).first()
        return found
