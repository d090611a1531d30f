"""What the staff screens of every room share: rows that tell what happened, statuses, a mask for what is personal."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

MASK = "••••••"
COLOURS = {"ok": "success", "info": "info", "wait": "warning", "bad": "danger", "off": "default"}


def status_badge(tones: dict[Any, str]) -> Any:
    """A column with the status as a word on the colour of its tone."""
    labels = {status.value: COLOURS[tone] for status, tone in tones.items()}

    @display(description=gettext_lazy("status"), label=labels, ordering="status")  # type: ignore[untyped-decorator]
    def show(_admin: Any, row: Any) -> tuple[str, str]:
        return row.status, str(row.get_status_display())

    return show


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
