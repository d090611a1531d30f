"""What people type about themselves."""

import datetime as dt
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import jdatetime
from allauth.account.adapter import get_adapter
from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import SignupForm as AllauthSignupForm
from allauth.account.forms import VerifyPhoneForm
from django import forms
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts import iran
from accounts.models import Customer
from accounts.photo import MAX_BYTES, BadPhoto, sanitise


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


class CodeForm(VerifyPhoneForm):
    """The code from an SMS, in whichever digits the keyboard writes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "dir": "ltr"})
        self.fields["code"] = forms.CharField(label=_("Code"), max_length=12, widget=widget)

    def clean_code(self) -> str:
        self.cleaned_data["code"] = iran.clean_number(self.cleaned_data["code"])
        return super().clean_code()  # type: ignore[no-any-return]


class DateOfBirthField(forms.CharField):
    """A day in the Jalali or the Gregorian calendar; which one is plain from the year."""

    def prepare_value(self, value: Any) -> Any:
        """A stored day in the calendar of the page's language; what was typed stays as it was typed."""
        if not isinstance(value, dt.date):
            return value
        persian = get_language() == "fa"
        return jdatetime.date.fromgregorian(date=value).strftime("%Y/%m/%d") if persian else value.isoformat()

    def clean(self, value: Any) -> dt.date | None:
        text = iran.clean_number(super().clean(value).replace("-", "/").replace(".", "/"))
        if not text:
            return None
        day: dt.date | None = None
        if match := re.fullmatch(r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})", text):
            year, month, number = (int(part) for part in match.groups())
            try:
                day = jdatetime.date(year, month, number).togregorian() if year < 1700 else dt.date(year, month, number)
            except ValueError:
                day = None
        if day is None:
            raise ValidationError(_("Please write a date such as 1370/05/14 or 1991-08-05."), code="date")
        today = timezone.localdate()
        if not dt.date(1900, 1, 1) <= day <= today:
            raise ValidationError(_("This date lies outside a lifetime. Please check the year."), code="date")
        return day


def _number_field(label: Any, clean: Callable[[str], str], hint: Any, *, required: bool = True) -> forms.CharField:
    widget = forms.TextInput(attrs={"inputmode": "numeric", "dir": "ltr"})
    field = forms.CharField(label=label, help_text=hint, max_length=30, widget=widget, required=required)
    field.clean_with = clean  # type: ignore[attr-defined]
    return field


class ProfileForm(forms.ModelForm):
    """Who you are. E-mail and mobile are not here: changing them needs a proof of its own."""

    birth_date = DateOfBirthField(
        label=_("Date of birth"),
        help_text=_("Jalali or Gregorian, for example 1370/05/14 or 1991-08-05."),
        max_length=12,
        widget=forms.TextInput(attrs={"autocomplete": "bday", "dir": "ltr"}),
    )
    national_code = _number_field(_("National code"), iran.national_code, _("10 digits, as on your national card."))
    landline = _number_field(_("Landline"), iran.landline, _("With area code. You may leave it empty."), required=False)
    address = forms.CharField(
        label=_("Postal address"),
        help_text=_("City, street, number and unit."),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "street-address"}),
    )
    postal_code = _number_field(_("Postal code"), iran.postal_code, _("10 digits, without a dash."))

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
        for name, field in self.fields.items():
            if hasattr(field, "clean_with") and name in cleaned:
                try:
                    cleaned[name] = field.clean_with(cleaned[name]) if cleaned[name] else None
                except ValidationError as error:
                    self.add_error(name, error)
        return cleaned


class PhotoIdForm(forms.Form):
    """One photo of the national card."""

    photo = forms.FileField(
        label=_("Photo of your national card"),
        help_text=_("JPEG, PNG or WebP, up to 10 MB. The front side, all four corners visible."),
        widget=forms.ClearableFileInput(attrs={"accept": "image/jpeg,image/png,image/webp", "capture": "environment"}),
    )

    def clean_photo(self) -> bytes:
        """The picture as a clean JPEG: drawn anew, so that nothing but the picture is left in it."""
        upload: UploadedFile = self.cleaned_data["photo"]
        if getattr(upload, "too_large", False) or (upload.size or 0) > MAX_BYTES:
            raise ValidationError(_("This file is larger than 10 MB. Please take a smaller photo."), code="size")
        try:
            return sanitise(upload.read())
        except BadPhoto as error:
            raise ValidationError(error.words, code="photo") from None


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
