"""Staff screens of this room: the versions and who accepted them. Versions are published by `publish_policy` alone."""

from django.contrib import admin

from policy.models import Acceptance, Version
from portal.admin import ReadOnlyAdmin


@admin.register(Version)
class VersionAdmin(ReadOnlyAdmin):
    list_display = ("number", "locale", "title", "effective_from", "is_material", "published_at", "sha256")
    list_filter = ("locale", "is_material")
    search_fields = ("title", "=sha256")
    fields = readonly_fields = (
        *("number", "locale", "title", "effective_from", "is_material", "summary", "published_at", "sha256", "body"),
    )


@admin.register(Acceptance)
class AcceptanceAdmin(ReadOnlyAdmin):
    list_display = ("customer", "version", "at", "how")
    list_filter = ("version", "how")
    list_select_related = ("customer", "version")
    search_fields = ("=customer__ref", "=sha256")
    fields = readonly_fields = ("customer", "version", "sha256", "at", "how")
