"""What people write to us."""

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from notifications.attachments import FILES_AT_MOST, BadFile, CleanFile, clean


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
