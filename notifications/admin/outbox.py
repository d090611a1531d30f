"""What was sent, by every channel, with all tries."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.models import Attempt, Delivery, Event
from portal.admin import MASK, ReadOnlyAdmin, ReadOnlyInline, status_badge


class DeliveryInline(ReadOnlyInline):
    model = Delivery
    fields = readonly_fields = ("channel", "masked", "status", "tries", "last_code", "accepted_at", "delivered_at")

    @admin.display(description=gettext_lazy("recipient"))
    def masked(self, delivery: Delivery) -> str:
        return masked(delivery)


class AttemptInline(ReadOnlyInline):
    model = Attempt
    fields = readonly_fields = ("n", "started_at", "finished_at", "outcome", "code")


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """What customers were told. The words themselves are not shown: codes and amounts are in them."""

    list_display = ("at", "message", "purpose", "about", "customer")
    list_filter = ("purpose", "message")
    search_fields = ("about", "customer__ref")
    list_select_related = ("customer",)
    fields = ("at", "message", "purpose", "about", "customer", "language", "expires_at")
    inlines = (DeliveryInline,)
    date_hierarchy = "at"


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Every channel of every message, with all tries."""

    list_display = ("event", "channel", "lane", "shown_status", "tries", "last_code", "not_before")
    list_filter = ("status", "channel", "lane")
    search_fields = ("event__about", "event__customer__ref", "provider_ref")
    list_select_related = ("event",)
    ordering = ("-event__at", "channel")
    fields = (
        "event",
        "channel",
        "lane",
        "status",
        "masked",
        "tries",
        "last_code",
        "provider_ref",
        "not_before",
        "accepted_at",
        "delivered_at",
    )
    readonly_fields = ("masked",)
    inlines = (AttemptInline,)
    actions = ("release",)
    shown_status = status_badge(Delivery.TONE)

    @admin.display(description=gettext_lazy("recipient"))
    def masked(self, delivery: Delivery) -> str:
        return masked(delivery)

    def has_release_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.change_delivery")

    @admin.action(description=gettext_lazy("Send the held ones again"), permissions=["release"])
    def release(self, request: HttpRequest, deliveries: Any) -> None:
        has_words = Q(event__context__isnull=False) | Q(broadcast__isnull=False)
        held = deliveries.filter(has_words, status=Delivery.Status.PARKED)
        released = sum(delivery.release() for delivery in held)
        messages.success(request, _("%(count)s put back to be sent.") % {"count": released})


def masked(delivery: Delivery) -> str:
    """Whether there is an address, not which."""
    return MASK if delivery.recipient or delivery.at_account else "–"
