"""What people type in this room."""

from accounts.forms.photo_id import PhotoIdForm
from accounts.forms.profile import DateOfBirthField, ProfileForm
from accounts.forms.sign_in import CodeForm, LoginForm, SignupForm
from accounts.forms.staff import ApprovalForm, FindForm, ReasonForm, RefusalForm

__all__ = [
    "ApprovalForm",
    "CodeForm",
    "DateOfBirthField",
    "FindForm",
    "LoginForm",
    "PhotoIdForm",
    "ProfileForm",
    "ReasonForm",
    "RefusalForm",
    "SignupForm",
]
