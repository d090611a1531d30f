"""Accepting the policy at sign-up."""

from django import forms


class AcceptPolicyForm(forms.Form):
    """Replaced by the policy room."""

    def signup(self, request: object, user: object) -> None:
        """Called by allauth."""
