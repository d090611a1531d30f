"""What people type in this room."""

from accounts.forms.photo_id import PhotoIdForm
from accounts.forms.profile import DateOfBirthField, ProfileForm
from accounts.forms.sign_in import (
    ActivateTotpForm,
    AddPasskeyForm,
    CodeForm,
    FactorAgainForm,
    FactorForm,
    LoginForm,
    SignupForm,
)
from accounts.forms.staff import ApprovalForm, FindForm, ReasonForm, RefusalForm

__all__ = [
    "ActivateTotpForm",
    "AddPasskeyForm",
    "ApprovalForm",
    "CodeForm",
    "DateOfBirthField",
    "FactorAgainForm",
    "FactorForm",
    "FindForm",
    "LoginForm",
    "PhotoIdForm",
    "ProfileForm",
    "ReasonForm",
    "RefusalForm",
    "SignupForm",
]
