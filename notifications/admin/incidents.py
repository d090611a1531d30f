"""What does not work, and what will be worked on."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from notifications import flows
from notifications.models import Component, Incident, Maintenance, Severity
from notifications.trouble_forms import EndForm, MoveForm, OpenForm, PlanForm, PressForm, UpdateForm
from portal.admin import status_badge

from .troubles import Deed, TroubleAdmin

NOT_BEGUN = (Maintenance.Status.PLANNED, Maintenance.Status.ANNOUNCED)
AS_APPROVED = _("They are told at once if a second person has approved the plan, else as soon as one approves.")


@admin.register(Component)
class ComponentAdmin(ModelAdmin):
    """What plans and services are tied to; one in use stays."""

    list_display = ("slug", "name_fa", "name_en", "is_public", "order")
    list_filter = ("is_public",)
    search_fields = ("slug", "name_fa", "name_en")
    prepopulated_fields = {"slug": ("name_en",)}

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return False


def _update(row: Incident, by: Any, *, components: Any, **cleaned: Any) -> None:
    flows.update_incident(incident=row, by=by, add_components=components, **cleaned)


@admin.register(Incident)
class IncidentAdmin(TroubleAdmin):
    list_display = ("ref", "what", "shown_severity", "shown_status", "started_at", "resolved_at")
    list_filter = ("status", "severity", "components")
    search_fields = ("ref",)
    deeds = (
        Deed("update", _("Say how it stands"), UpdateForm, _update, lambda row: not row.is_over),
        Deed(
            "resolve",
            _("It is over"),
            EndForm,
            lambda row, by, **words: flows.resolve_incident(incident=row, by=by, **words),
            lambda row: not row.is_over,
        ),
    )

    shown_status = status_badge(Incident.TONE)

    @display(description=_("severity"), ordering="severity")  # type: ignore[untyped-decorator]
    def shown_severity(self, row: Incident) -> str:
        return str(row.get_severity_display())

    def beginning(self) -> type[forms.Form]:
        return OpenForm

    def begin(self, by: Any, cleaned: dict[str, Any]) -> Incident:
        return flows.open_incident(by=by, **cleaned)

    def when(self, row: Incident | None, cleaned: dict[str, Any], deed: Deed | None) -> Any:
        grave = (cleaned.get("severity") or (row.severity if row else "")) == Severity.HIGH
        return _("They are told at once, at any hour.") if grave else super().when(row, cleaned, deed)


@admin.register(Maintenance)
class MaintenanceAdmin(TroubleAdmin):
    list_display = ("ref", "what", "shown_status", "starts_at", "ends_at")
    list_filter = ("status", "components")
    search_fields = ("ref",)
    deeds = (
        Deed(
            "announce",
            _("Announce it"),
            PressForm,
            lambda row, by: flows.announce_maintenance(maintenance=row, by=by),
            lambda row: row.status == Maintenance.Status.PLANNED,
        ),
        Deed(
            "start",
            _("It begins"),
            PressForm,
            lambda row, by: flows.start_maintenance(maintenance=row, by=by),
            lambda row: row.status == Maintenance.Status.ANNOUNCED,
            AS_APPROVED,
        ),
        Deed(
            "finish",
            _("It is done"),
            EndForm,
            lambda row, by, **words: flows.finish_maintenance(maintenance=row, by=by, **words),
            lambda row: row.status == Maintenance.Status.STARTED,
            AS_APPROVED,
        ),
        Deed(
            "move",
            _("Move it to another time"),
            MoveForm,
            lambda row, by, **cleaned: flows.reschedule_maintenance(maintenance=row, by=by, **cleaned),
            lambda row: row.status in NOT_BEGUN,
        ),
        Deed(
            "cancel",
            _("Call it off"),
            EndForm,
            lambda row, by, **words: flows.cancel_maintenance(maintenance=row, by=by, **words),
            lambda row: row.status in NOT_BEGUN,
        ),
    )

    shown_status = status_badge(Maintenance.TONE)

    def beginning(self) -> type[forms.Form]:
        return PlanForm

    def begin(self, by: Any, cleaned: dict[str, Any]) -> Maintenance:
        return flows.plan_maintenance(by=by, **cleaned)

    def when(self, row: Maintenance | None, cleaned: dict[str, Any], deed: Deed | None) -> Any:
        silent = row is None or (row.status == Maintenance.Status.PLANNED and deed and deed.name != "announce")
        return _("Nobody is told before you announce it.") if silent else super().when(row, cleaned, deed)
