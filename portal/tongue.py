"""Words that a row keeps once in each language."""

from typing import Any

from django.utils.translation import get_language


def in_our_words(row: Any, field: str) -> str:
    """The column of the reader's language: `name_en` on an English page, else `name_fa`."""
    language = "en" if (get_language() or "fa").startswith("en") else "fa"
    return str(getattr(row, f"{field}_{language}"))
