"""Who looked at whose information."""

from django.contrib import admin

from accounts.models import Look
from portal.admin import ReadOnlyAdmin


@admin.register(Look)
class LookAdmin(ReadOnlyAdmin):
    """Who looked at whose information."""

    list_display = ("at", "staff", "customer", "fields")
    list_select_related = ("staff", "customer")
    search_fields = ("customer__ref", "staff__ref")
    date_hierarchy = "at"
