"""What this room holds about a person, how it is handed over and how it goes."""

from typing import Any

from policy.models import Acceptance
from portal.privacy import Held

# Nothing personal stands in this room: an acceptance names a version and a time.
HOLDS: dict[str, Held] = {}


def export(customer: Any) -> dict[str, Any]:
    """Every acceptance, as plain values."""
    rows = Acceptance.objects.visible_to(customer).select_related("version")
    return {
        "acceptances": [
            {
                "number": row.version.number,
                "locale": row.version.locale,
                "sha256": row.sha256,
                "at": row.at.isoformat(),
                "how": row.how,
            }
            for row in rows
        ]
    }


def erase(customer: Any) -> None:
    Acceptance.objects.visible_to(customer).delete()
