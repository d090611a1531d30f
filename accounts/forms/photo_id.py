"""The photo of an ID card."""

from typing import BinaryIO, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from accounts.photo import MAX_BYTES, BadPhoto, sanitise


class PhotoIdForm(forms.Form):
    """One photo of the national card."""

    photo = forms.FileField(
        label=_("Photo of your national card"),
        help_text=_("JPEG, PNG or WebP, up to 10 MB. The front side, all four corners visible."),
        widget=forms.ClearableFileInput(attrs={"accept": "image/jpeg,image/png,image/webp", "capture": "environment"}),
    )

    def clean_photo(self) -> bytes:
        """The picture as a clean JPEG: drawn anew, so that nothing but the picture is left in it."""
        upload: UploadedFile = self.cleaned_data["photo"]
        if getattr(upload, "too_large", False) or (upload.size or 0) > MAX_BYTES:
            raise ValidationError(_("This file is larger than 10 MB. Please take a smaller photo."), code="size")
        try:
            return sanitise(cast(BinaryIO, upload.file))
        except BadPhoto as error:
            raise ValidationError(error.words, code="photo") from None
