"""What the staff screens of every room share: rows that tell what happened, and a mask for what is personal."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

MASK = "••••••"


class ReadOnly:
    """Nobody adds, edits or deletes these rows by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, ModelAdmin):
    """A list and its rows."""


class ReadOnlyInline(ReadOnly, TabularInline):
    """Rows within another row."""

    extra = 0
