"""What a page's script may tell about hardware and connection: words of closed lists and rough classes."""

from collections.abc import Mapping, Sequence
from typing import Any

from devices.models import UNKNOWN, Speed

# NetworkInformation.type as the W3C draft lists it; the rare ones count as "other".
LINKS = {"wifi": "wifi", "cellular": "cellular", "ethernet": "ethernet", "none": "none"}
LINKS |= dict.fromkeys(("other", "bluetooth", "wimax"), "other")
SPEEDS = {speed: speed for speed in Speed.values}


def _class(value: Any, steps: Sequence[tuple[float, str]], top: str) -> str:
    """The first step that holds the number; "unknown" for what is no number of this world."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 100_000:
        return UNKNOWN
    return next((name for limit, name in steps if value <= limit), top)


def read(told: Mapping[str, Any]) -> dict[str, str]:
    """Columns of a device from what was told; what was not told stays unknown."""
    return {
        "memory": _class(told.get("memory"), [(2, "2"), (4, "4"), (8, "8")], "16"),
        "cores": _class(told.get("cores"), [(2, "2"), (4, "4"), (8, "8")], "9"),
        "screen": _class(told.get("screen"), [(599, "small"), (1023, "medium")], "large"),
        "link": LINKS.get(str(told.get("link")), UNKNOWN),
        "speed": SPEEDS.get(str(told.get("speed")), UNKNOWN),
    }
