"""What people type in this room."""

from accounts.forms.company import CompanyForm, InvitationForm, RoleForm
from accounts.forms.photo_id import PhotoIdForm
from accounts.forms.profile import DateOfBirthField, ProfileForm
from accounts.forms.sign_in import (
    ActivateTotpForm,
    AddPasskeyForm,
    CodeForm,
    CodeRequestForm,
    FactorAgainForm,
    FactorForm,
    LoginCodeForm,
    LoginForm,
    SignupForm,
)
from accounts.forms.staff import ApprovalForm, FindForm, ReasonForm, RefusalForm, SuspensionForm

__all__ = [
    "ActivateTotpForm",
    "AddPasskeyForm",
    "ApprovalForm",
    "CodeForm",
    "CodeRequestForm",
    "CompanyForm",
    "DateOfBirthField",
    "FactorAgainForm",
    "FactorForm",
    "FindForm",
    "InvitationForm",
    "LoginCodeForm",
    "LoginForm",
    "PhotoIdForm",
    "ProfileForm",
    "ReasonForm",
    "RefusalForm",
    "RoleForm",
    "SignupForm",
    "SuspensionForm",
]
