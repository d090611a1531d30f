"""Staff screens of this room: who is signed in with what. Nothing here can be changed; the network stays sealed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from devices.models import Device, SignIn
from portal.admin import ReadOnlyAdmin


@admin.register(SignIn)
class SignInAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "customer", "device", "signed_in_at", "last_seen_at", "ended_at")
    list_filter = ("device__kind", "device__os")
    list_select_related = ("customer", "device")
    search_fields = ("=customer__ref", "=public_id")
    fields = readonly_fields = ("public_id", "customer", "device", "signed_in_at", "last_seen_at", "ended_at")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("network")


@admin.register(Device)
class DeviceAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "browser_words", "os_words", "link", "speed", "hints_at", "first_seen_at")
    list_filter = ("kind", "browser", "os", "link", "speed")
    search_fields = ("=sign_ins__customer__ref",)
    fields = readonly_fields = (
        *("id", "first_seen_at", "kind", "browser", "browser_major", "os", "os_major"),
        *("memory", "cores", "screen", "link", "speed", "hints_source", "hints_at"),
    )
