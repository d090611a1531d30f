"""What staff type: whom they look for, and why."""

from contextlib import suppress
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts import iran
from accounts.models import Customer

AT_MOST = 50  # customers of one landline that are listed


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
    """An exact e-mail, mobile, landline or national code, or a surname with or without the name before it."""

    what = forms.CharField(
        label=_("E-mail, mobile, landline, national code or surname"),
        help_text=_("The whole of it: parts of sealed values cannot be searched."),
        max_length=254,
        widget=UnfoldAdminTextInputWidget,
    )

    def clean(self) -> dict[str, Any]:
        """`found` are the customers meant; a surname that too many share asks for something else."""
        cleaned: dict[str, Any] = super().clean() or {}
        if what := cleaned.get("what", "").strip():
            cleaned["found"] = self._exactly(what) or Customer.objects.called(what)
            if cleaned["found"] is None:
                raise ValidationError(
                    _("Too many customers may have this surname. Please search by a number or e-mail.")
                )
        return cleaned

    def _exactly(self, what: str) -> list[Customer]:
        if "@" in what:
            return list(Customer.objects.filter(email=what))
        numbers = {"mobile": iran.mobile, "landline": iran.landline, "national_code": iran.national_code}
        for field, clean in numbers.items():
            with suppress(ValidationError):
                if found := list(Customer.objects.filter(**{field: clean(what)})[:AT_MOST]):
                    return found
        return []
