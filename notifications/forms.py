"""What people write to us, and how they wish to be reached."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from notifications.attachments import FILES_AT_MOST, BadFile, CleanFile, clean
from notifications.catalogue import Message
from notifications.models import CallTask, Channel, Preference, Resend, Ticket
from portal import jalali
from portal.templatetags.words import language


class ManyFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Up to three files, each looked into; cleans to a list of CleanFile."""

    def __init__(self, **kwargs: Any) -> None:
        widget = ManyFiles(attrs={"accept": ".jpg,.jpeg,.png,.webp,.pdf,.txt,.log,.zip"})
        super().__init__(**{"widget": widget, "required": False, **kwargs})

    def clean(self, data: Any, initial: Any = None) -> list[CleanFile]:
        uploads: Sequence[Any] = data if isinstance(data, list | tuple) else [data] if data else []
        if len(uploads) > FILES_AT_MOST:
            raise ValidationError([_("Please choose at most three files."), self.again], code="count")
        try:
            return [clean(upload.name, self._content(upload)) for upload in uploads]
        except BadFile as error:
            # A browser never sends a refused form's files again by itself.
            raise ValidationError([error.words, self.again], code="file") from None

    again = _("Your words are kept; please choose your files again.")

    @staticmethod
    def _content(upload: Any) -> bytes:
        if getattr(upload, "too_large", False):
            raise BadFile(_("This file is larger than 5 MB. Please send a smaller one, or several."))
        return bytes(upload.read())


class AnswerForm(forms.Form):
    """One more turn in the conversation."""

    text = forms.CharField(label=_("Your message"), max_length=10_000, widget=forms.Textarea(attrs={"rows": 8}))
    files = FilesField(  # type: ignore[assignment]
        label=_("Files"),
        help_text=_("Up to three, 5 MB each: JPEG, PNG, WebP, PDF, text, log or zip. No card numbers."),
    )
    # Made once a page: the same page sent twice is one message.
    token = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


class TicketForm(AnswerForm):
    """A new ticket."""

    subject = forms.CharField(
        label=_("Subject"), help_text=_("A few words, so that you find it again."), max_length=120
    )
    field_order = ("subject", "text", "files", "token")


class StaffAnswerForm(AnswerForm):
    """Our answer, and whether the matter is settled with it."""

    text = forms.CharField(label=_("Your message"), max_length=10_000, widget=UnfoldAdminTextareaWidget)
    close = forms.BooleanField(label=_("Close the ticket with this answer"), required=False)
    field_order = ("text", "files", "close", "token")


class WordsForm(forms.Form):
    """The words of a message in one language, for the channels by which it goes."""

    subject = forms.CharField(
        label=_("Subject"),
        help_text=_("One line; the page of the message has it as its title too."),
        max_length=1000,
        widget=UnfoldAdminTextInputWidget,
    )
    text = forms.CharField(
        label=_("E-mail"),
        help_text=_("Plain text; an empty line parts paragraphs. Our name and address stand below it by themselves."),
        max_length=10_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 14}),
    )
    sms = forms.CharField(
        label=_("SMS"),
        help_text=_("Without links. A Persian part has 70 characters, of several parts each 67."),
        max_length=2_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
    )

    def __init__(self, *args: Any, kind: Message, language: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, channel in (("text", Channel.EMAIL), ("sms", Channel.SMS)):
            if channel not in kind.channels:
                del self.fields[name]
        for field in self.fields.values():
            field.widget.attrs |= {"lang": language, "dir": "rtl" if language == "fa" else "ltr"}

    def clean(self) -> dict[str, Any]:
        """One way to end lines, so that an editor's habits make no difference."""
        return {name: words.replace("\r\n", "\n").strip() for name, words in (super().clean() or {}).items()}


class RejectWordsForm(forms.Form):
    """Why proposed words are not taken; who wrote them reads it."""

    reason = forms.CharField(label=_("Why not?"), widget=UnfoldAdminTextInputWidget, min_length=3, max_length=300)


def hour_field(label: Any, help_text: Any = "") -> forms.TypedChoiceField:
    """A full hour of the day; cleans to a time."""
    return forms.TypedChoiceField(label=label, help_text=help_text, coerce=dt.time.fromisoformat)


class PreferenceForm(forms.Form):
    """What a reader may choose within what we owe her; `with_language` where it is her own messages' language."""

    quiet_from = hour_field(
        _("Quiet from"), _("What can wait comes after these hours. The same hour twice: no quiet hours.")
    )
    quiet_until = hour_field(_("Quiet until"))
    digest = forms.BooleanField(
        label=_("Gather answers to tickets in one message"),
        help_text=_("Sent at 09:00 and 17:00. In the ticket itself each answer stands at once."),
        required=False,
    )
    language = forms.ChoiceField(label=_("Language of our messages"), choices=settings.LANGUAGES)

    def __init__(self, *args: Any, preference: Preference, with_language: bool, **kwargs: Any) -> None:
        chosen = {name: f"{getattr(preference, name):%H:%M}" for name in ("quiet_from", "quiet_until")}
        kwargs["initial"] = {**chosen, "digest": preference.digest, "language": preference.reader.language}
        super().__init__(*args, **kwargs)
        hours = [f"{hour:02}:00" for hour in range(24)]
        for name in chosen:
            field: Any = self.fields[name]
            field.choices = [(hour, jalali.digits(hour, language())) for hour in hours]
        if not with_language:
            del self.fields["language"]


class AskForCallForm(forms.Form):
    """Whom to call, at which number, and why there is need."""

    customer = forms.CharField(
        label=_("Customer's reference"),
        max_length=12,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"dir": "ltr", "autocomplete": "off"}),
    )
    ticket = forms.CharField(
        label=_("Number of the ticket in which the customer asked for a call"),
        help_text=_("Only when that is the reason; then the reference above may stay empty."),
        max_length=20,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"dir": "ltr", "autocomplete": "off"}),
    )
    reason = forms.ChoiceField(label=_("Reason"), choices=CallTask.Reason.choices, widget=UnfoldAdminSelectWidget)
    number = forms.ChoiceField(label=_("Number"), choices=CallTask.Number.choices, widget=UnfoldAdminSelectWidget)
    why = forms.CharField(
        label=_("What has happened"),
        help_text=_("The colleague who decides reads it, and the customer beside the call."),
        min_length=5,
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )

    def clean_ticket(self) -> Ticket | None:
        number = jalali.digits(self.cleaned_data["ticket"].strip(), "en")
        if not number:
            return None
        ticket = Ticket.objects.filter(number=number).first() if number.isdecimal() else None
        if ticket is None:
            raise ValidationError(_("There is no ticket of this number."))
        return ticket

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        ref, ticket = cleaned.get("customer", "").strip(), cleaned.get("ticket")
        found = get_user_model().objects.filter(ref=ref).first() if ref else ticket and ticket.customer
        if found is None and "ticket" in cleaned:
            self.add_error("customer", _("There is no customer of this reference."))
        return cleaned | {"customer": found}


class CallOutcomeForm(forms.Form):
    """What came of a call that somebody of us made."""

    outcome = forms.ChoiceField(
        label=_("What came of it"),
        choices=[choice for choice in CallTask.Outcome.choices if choice[0] != CallTask.Outcome.HEARD],
        widget=UnfoldAdminSelectWidget,
    )
    note = forms.CharField(
        label=_("Note"),
        help_text=_("For colleagues; the customer gets it with an export of her data."),
        max_length=1000,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )


class ResendForm(forms.Form):
    """Why something is sent again."""

    why = forms.ChoiceField(label=_("Reason"), choices=[("", "–"), *Resend.Why.choices], widget=UnfoldAdminSelectWidget)
