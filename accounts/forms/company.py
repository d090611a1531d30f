"""What is typed about a company and its people."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts import iran
from accounts.forms.profile import number_field
from accounts.models import Company
from accounts.models.company import Role


class CompanyForm(forms.Form):
    """A legal person: half of the fields stand in its row of customers, half in its row of companies."""

    TAKEN = _("This company is registered here already. Please ask its owner to invite you, or call us.")

    name = forms.CharField(
        label=_("Name of the company"), help_text=_("As in the official gazette."), max_length=80, min_length=2
    )
    national_id = number_field(_("National ID of the company"), iran.company_id, _("11 digits."))
    registration_number = number_field(_("Registration number"), iran.registration_number, "")
    economic_code = number_field(
        _("Economic code"), iran.economic_code, _("You may leave it empty if it is the national ID."), required=False
    )
    landline = number_field(_("Landline"), iran.landline, _("With area code. You may leave it empty."), required=False)
    address = forms.CharField(
        label=_("Postal address"),
        help_text=_("City, street, number and unit."),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "street-address"}),
    )
    postal_code = number_field(_("Postal code"), iran.postal_code, _("10 digits, without a dash."))

    def __init__(self, *args: Any, company: Company | None = None, **kwargs: Any) -> None:
        self.company = company
        if company:
            kwargs["initial"] = {
                name: getattr(company if name in Company.PERSONAL else company.customer, name)
                for name in self.base_fields
            }
        super().__init__(*args, **kwargs)

    def clean_name(self) -> str:
        return iran.persian_letters(self.cleaned_data["name"])

    def clean_address(self) -> str:
        return iran.persian_letters(self.cleaned_data["address"])

    def clean_national_id(self) -> str:
        national_id: str = self.cleaned_data["national_id"]
        others = Company.objects.exclude(pk=self.company.pk) if self.company else Company.objects.all()
        if others.filter(national_id=national_id).exists():
            raise ValidationError(self.TAKEN, code="unique")
        return national_id


class InvitationForm(forms.Form):
    """Whom an owner asks to act for the company."""

    email = forms.EmailField(
        label=_("E-mail of your colleague"),
        help_text=_("We send an invitation here. It can be accepted with this e-mail only."),
        max_length=254,
        widget=forms.EmailInput(attrs={"dir": "ltr", "autocomplete": "off"}),
    )
    role = forms.ChoiceField(
        label=_("Role"),
        choices=Role.choices,
        initial=Role.TECHNICAL,
        help_text=_("Owners do everything; billing orders and pays; technical sees services and writes tickets."),
    )


class RoleForm(forms.Form):
    """Another role for somebody, or the end."""

    role = forms.ChoiceField(label=_("Role"), choices=[*Role.choices, ("end", _("No longer a member"))])
