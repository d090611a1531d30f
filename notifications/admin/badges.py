"""The colours of a status, as staff see it."""

from typing import Any

COLOURS = {"ok": "success", "info": "info", "wait": "warning", "bad": "danger", "off": "default"}


def badges(model: Any) -> dict[str, str]:
    """Status → colour, for unfold's `display`."""
    return {status.value: COLOURS[tone] for status, tone in model.TONE.items()}
