"""What staff type about money."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from billing import gateways
from billing.admin.columns import gateway_name, shown_rial
from billing.models import GatewayAccount, Refund


class RefundForm(forms.Form):
    """How much goes back at the bank, and why. Whether there is so much, the flow says."""

    amount = forms.IntegerField(
        label=_("Amount in Rial"),
        help_text=_("At most what is in the customer's credit of this payment."),
        min_value=1,
        widget=UnfoldAdminIntegerFieldWidget(attrs={"dir": "ltr"}),
    )
    why = forms.ChoiceField(label=_("Reason"), choices=Refund.Why.choices, widget=UnfoldAdminSelectWidget)


class BankReferenceForm(forms.Form):
    """The number that the bank gave the transfer."""

    bank_reference = forms.CharField(
        label=_("Bank's number of the transfer"),
        help_text=_("As it stands on the bank's paper; it cannot be changed later."),
        max_length=64,
        widget=UnfoldAdminTextInputWidget(attrs={"dir": "ltr", "autocomplete": "off"}),
    )


class GatewayAccountForm(forms.ModelForm):
    """Whether a gateway is offered, and within which limits."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            known = set(GatewayAccount.objects.values_list("slug", flat=True))
            free = [(slug, gateway_name(slug)) for slug in settings.GATEWAYS if slug not in known]
            self.fields["slug"] = forms.ChoiceField(label=_("Gateway"), choices=free, widget=UnfoldAdminSelectWidget)
        for field in ("min_rial", "max_rial"):
            if field in self.fields:
                self.fields[field].help_text = self._own(field)

    def _own(self, field: str) -> str:
        """What holds where nothing is set."""
        if self.instance.slug not in settings.GATEWAY:
            return gettext("Left empty, the gateway's own holds.")
        own = shown_rial(getattr(gateways.gateway(self.instance.slug), field))
        return gettext("Left empty, the gateway's own holds: %(sum)s.") % {"sum": own}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        smallest, largest = cleaned.get("min_rial"), cleaned.get("max_rial")
        for field in ("min_rial", "max_rial"):
            if cleaned.get(field) is not None and cleaned[field] < 1:
                self.add_error(field, ValidationError(_("Please type an amount above zero, or leave it empty.")))
        if smallest and largest and largest < smallest:
            self.add_error("max_rial", ValidationError(_("The largest payment cannot be below the smallest.")))
        return cleaned
