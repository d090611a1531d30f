"""What staff type: whom they look for, and why."""

import datetime as dt
from contextlib import suppress
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import iran
from accounts.forms.profile import DayField
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


class SuspensionForm(forms.Form):
    """Why an account is closed for a time."""

    why = forms.CharField(
        label=_("Why is this account suspended?"),
        help_text=_("The customer reads it in an e-mail."),
        widget=UnfoldAdminTextInputWidget,
        min_length=5,
        max_length=300,
    )


# What is wrong with most photos, in words that their owners read.
USUAL_REASONS = (
    _("The number on the card cannot be read. Please take the photo in daylight, without flash."),
    _("Not the whole card is on the picture. Please take it so that all four corners are visible."),
    _("This is not a national card. Please send a photo of the front side of your national card."),
    _("The card is no longer valid. Please send a photo of the new one."),
    _("Name or number on the card differ from your profile. Please correct your profile, or send the right card."),
)


class RefusalForm(forms.Form):
    """What the customer reads when a photo is refused or asked for again: a usual reason, own words, or both."""

    usual = forms.TypedChoiceField(
        label=_("Usual reasons"),
        help_text=_("The customer reads it in her own language."),
        choices=[("", "–"), *enumerate(USUAL_REASONS)],
        coerce=int,
        empty_value=None,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    reason = forms.CharField(
        label=_("Reason in your own words"),
        help_text=_("For example: the number cannot be read, please take it in daylight."),
        widget=UnfoldAdminTextInputWidget,
        min_length=5,
        max_length=300,
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors and cleaned.get("usual") is None and not cleaned.get("reason"):
            self.add_error("reason", _("Please choose a reason or write one."))
        return cleaned

    def words(self, language: str) -> str:
        """The reason in the customer's language; own words stay as they were written."""
        usual, own = self.cleaned_data["usual"], self.cleaned_data["reason"]
        with translation.override(language):
            return " ".join(part for part in ("" if usual is None else str(USUAL_REASONS[usual]), own) if part)


class ApprovalForm(forms.Form):
    """Until when the card on the photo is valid."""

    expires_on = DayField(
        label=_("Valid until"),
        help_text=_("The day on the card, Jalali or Gregorian. Empty: five years from today."),
        max_length=12,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"dir": "ltr"}),
    )

    def clean_expires_on(self) -> dt.date | None:
        day: dt.date | None = self.cleaned_data["expires_on"]
        if day and day <= timezone.localdate():
            raise ValidationError(_("This card is no longer valid; please refuse the photo."), code="date")
        return day


class FindForm(forms.Form):
    """An exact e-mail, mobile, landline or national code, or a surname with or without the name before it."""

    what = forms.CharField(
        label=_("E-mail, mobile, landline, national code, national ID of a company, or surname"),
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
        numbers["company__national_id"] = iran.company_id
        for field, clean in numbers.items():
            with suppress(ValidationError):
                if found := list(Customer.objects.filter(**{field: clean(what)})[:AT_MOST]):
                    return found
        return []
