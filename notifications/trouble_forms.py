"""What staff write of incidents and maintenance. Times are Tehran's; words come in both languages or not at all."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from notifications.models import Component, Incident, Severity

AT_MOST = 2000  # letters


class Moment(forms.DateTimeField):
    def __init__(self, **kwargs: Any) -> None:
        attrs = {"type": "datetime-local", "dir": "ltr"}
        widget = UnfoldAdminTextInputWidget(attrs=attrs)
        super().__init__(**{"widget": widget, "help_text": _("Tehran time, Gregorian calendar."), **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return f"{timezone.localtime(value):%Y-%m-%dT%H:%M}" if isinstance(value, dt.datetime) else value


class Components(forms.ModelMultipleChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Component.objects.all(), widget=forms.CheckboxSelectMultiple, **kwargs)


def _words(label: Any, *, required: bool = False) -> forms.CharField:
    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})
    return forms.CharField(label=label, required=required, max_length=AT_MOST, widget=widget)


class WordsForm(forms.Form):
    """What is said on the public page."""

    text_fa = _words(_("text in Persian"))
    text_en = _words(_("text in English"))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if bool(cleaned.get("text_fa")) != bool(cleaned.get("text_en")):
            self.add_error("text_en" if cleaned.get("text_fa") else "text_fa", _("Please write it in both languages."))
        return cleaned


class OpenForm(WordsForm):
    components = Components(label=_("What does not work as it should?"))
    severity = forms.ChoiceField(
        label=_("severity"), choices=Severity.choices, widget=UnfoldAdminSelectWidget, initial=Severity.MEDIUM
    )
    started_at = Moment(label=_("started at"), required=False)
    field_order = ("components", "severity", "started_at", "text_fa", "text_en")

    def clean_started_at(self) -> dt.datetime | None:
        started_at: dt.datetime | None = self.cleaned_data["started_at"]
        if started_at and started_at > timezone.now():
            raise forms.ValidationError(_("This is still to come: plan a maintenance instead."))
        return started_at


class UpdateForm(WordsForm):
    status = forms.ChoiceField(label=_("status"), required=False, widget=UnfoldAdminSelectWidget)
    severity = forms.ChoiceField(label=_("severity"), choices=Severity.choices, widget=UnfoldAdminSelectWidget)
    components = Components(label=_("What else does not work?"), required=False)
    is_public = forms.BooleanField(label=_("Shown to everybody"), required=False, initial=True)
    tell = forms.BooleanField(label=_("Tell those affected by e-mail and SMS"), required=False, initial=True)
    field_order = ("status", "severity", "components", "text_fa", "text_en", "is_public", "tell")

    def __init__(self, data: Any = None, *, row: Incident) -> None:
        super().__init__(data, initial={"severity": row.severity})
        allowed = row.NEXT[row.Status(row.status)] - {row.Status.RESOLVED}
        steps = [(step.value, step.label) for step in row.Status if step in allowed]
        self.fields["status"].choices = [(row.status, _("stays as it is")), *steps]  # type: ignore[attr-defined]
        others = Component.objects.exclude(pk__in=row.component_ids)
        self.fields["components"].queryset = others  # type: ignore[attr-defined]


class EndForm(WordsForm):
    """The last word."""

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data)


class PressForm(forms.Form):
    """Nothing to write, only to press."""

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data)


class WindowForm(forms.Form):
    starts_at = Moment(label=_("starts at"))
    ends_at = Moment(label=_("ends at"))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        start, end = cleaned.get("starts_at"), cleaned.get("ends_at")
        if start and start <= timezone.now():
            self.add_error("starts_at", _("This is over already."))
        if start and end and end <= start:
            self.add_error("ends_at", _("The end comes after the start."))
        return cleaned


class PlanForm(WindowForm):
    components = Components(label=_("What will be worked on?"))
    remind_before = forms.TypedChoiceField(
        label=_("remind before"),
        choices=[(2, _("two hours")), (24, _("one day")), (72, _("three days"))],
        coerce=lambda hours: dt.timedelta(hours=int(hours)),
        initial=24,
        widget=UnfoldAdminSelectWidget,
    )
    about_fa = _words(_("what will be done, in Persian"), required=True)
    about_en = _words(_("what will be done, in English"), required=True)
    field_order = ("components", "starts_at", "ends_at", "remind_before", "about_fa", "about_en")


class MoveForm(WindowForm, WordsForm):
    field_order = ("starts_at", "ends_at", "text_fa", "text_en")

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, initial={"starts_at": row.starts_at, "ends_at": row.ends_at})
