"""An incident from the first word to the last, each told to exactly those whose services it touches."""

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import timezone

from notifications.models import Affected, Component, Incident, Severity
from notifications.owners import owners

from .affected import UNAPPROVED, in_both, notify


def open_incident(
    *,
    components: Collection[Component],
    severity: str,
    by: Any,
    text_fa: str = "",
    text_en: str = "",
    started_at: dt.datetime | None = None,
) -> Incident:
    """Make it public and tell those affected: at once when it is grave, else as soon as a second person approves."""
    with transaction.atomic():
        incident = Incident.objects.create(severity=severity, started_at=started_at or timezone.now())
        incident.components.set(components)
        incident.add_update(by, text_fa, text_en)
        _tell(incident, "incident_opened", by)
    return incident


def update_incident(
    *,
    incident: Incident,
    by: Any,
    status: str = "",
    severity: str = "",
    add_components: Collection[Component] = (),
    text_fa: str = "",
    text_en: str = "",
    is_public: bool = True,
    tell: bool = True,
) -> None:
    """One more word on it. Whoever is affected only now is told in any case; the others when `tell` says so."""
    with transaction.atomic():
        incident.hold()
        incident.components.add(*add_components)
        if severity and severity != incident.severity:
            incident.change(severity=severity)
        if not status or not incident.step(status, by, text_fa, text_en):
            incident.add_update(by, text_fa, text_en, is_public=is_public)
            incident.change()
        if tell and is_public:
            _tell(incident, "incident_updated", by)
        elif Affected.add(incident, owners(incident.component_ids)):
            _tell(incident, "incident_opened", by, only="untold", replaces=())


def resolve_incident(*, incident: Incident, by: Any, text_fa: str = "", text_en: str = "") -> bool:
    """It is over; False when it was so already."""
    with transaction.atomic():
        if not incident.resolve(by, text_fa, text_en):
            return False
        _tell(incident, "incident_resolved", by)
    return True


def _tell(
    incident: Incident,
    message: str,
    by: Any,
    *,
    only: str = "all",
    replaces: tuple[str, ...] = UNAPPROVED,
) -> None:
    context = {
        "severity": in_both(lambda: Severity(incident.severity).label),
        "status": in_both(lambda: Incident.Status(incident.status).label),
        "at": incident.started_at.isoformat(),
        "until": incident.resolved_at.isoformat() if incident.resolved_at else None,
    }
    urgent = incident.is_urgent
    notify(incident, message, by=by, context=context, only=only, replaces=replaces, urgent=urgent)
