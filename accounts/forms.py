"""Forms."""

from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import SignupForm as AllauthSignupForm


class SignupForm(AllauthSignupForm):
    """x"""


class LoginForm(AllauthLoginForm):
    """x"""
