"""What the staff screens of every room share: rows that tell what happened, statuses, a mask for what is personal."""

from collections.abc import Sequence
from typing import Any, NamedTuple

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


TALLEST = 24  # of the bars that the server draws, in their own units


class Bar(NamedTuple):
    """One step of a sparkline; x and y from the start and the top of the line."""

    x: int
    y: int
    height: int
    is_empty: bool


def bars(values: Sequence[int]) -> list[Bar]:
    """One for each value. An empty step is a line on the ground, so that it is still a step."""
    most = max(values, default=0)
    heights = [max(1, TALLEST * value // most) if value else 0 for value in values]
    return [
        Bar(x=10 * n, y=TALLEST - (height or 1), height=height or 1, is_empty=not height)
        for n, height in enumerate(heights)
    ]


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
