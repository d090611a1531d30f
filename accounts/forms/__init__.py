"""What people type in this room."""

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
    "DateOfBirthField",
    "FactorAgainForm",
    "FactorForm",
    "FindForm",
    "LoginCodeForm",
    "LoginForm",
    "PhotoIdForm",
    "ProfileForm",
    "ReasonForm",
    "RefusalForm",
    "SignupForm",
    "SuspensionForm",
]
