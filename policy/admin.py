"""Staff screens of this room: the versions and who accepted them. Versions are published by `publish_policy` alone."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from policy.models import Acceptance, Version


class ReadOnly(ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Version)
class VersionAdmin(ReadOnly):
    list_display = ("number", "locale", "title", "effective_from", "is_material", "published_at", "sha256")
    list_filter = ("locale", "is_material")
    search_fields = ("title", "=sha256")
    fields = readonly_fields = (
        *("number", "locale", "title", "effective_from", "is_material", "summary", "published_at", "sha256", "body"),
    )


@admin.register(Acceptance)
class AcceptanceAdmin(ReadOnly):
    list_display = ("customer", "version", "at", "how")
    list_filter = ("version", "how")
    list_select_related = ("customer", "version")
    search_fields = ("=customer__ref", "=sha256")
    fields = readonly_fields = ("customer", "version", "sha256", "at", "how")
