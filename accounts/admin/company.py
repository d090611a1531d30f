"""Companies and their people."""

from django.contrib import admin

from accounts.models import Company, Invitation, Membership
from portal.admin import ReadOnlyAdmin, ReadOnlyInline


class MembershipInline(ReadOnlyInline):
    model = Membership
    fields = ("person", "role", "joined_at")
    readonly_fields = fields


class InvitationInline(ReadOnlyInline):
    """Without the address: who was invited is the company's own affair until they join."""

    model = Invitation
    fields = ("role", "at", "answered_at")
    readonly_fields = fields


@admin.register(Company)
class CompanyAdmin(ReadOnlyAdmin):
    """Its name and numbers are shown on its customer's page, with a reason."""

    list_display = ("customer",)
    list_select_related = ("customer",)
    search_fields = ("=customer__ref",)
    ordering = ("-customer__joined_at",)
    fields = ("customer",)
    readonly_fields = fields
    inlines = (MembershipInline, InvitationInline)
