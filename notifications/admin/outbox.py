"""What was sent, by every channel, with all tries."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from notifications import codes
from notifications.models import Attempt, Delivery, Event, Resend
from portal.admin import MASK, ReadOnlyInline, status_badge

from .resending import WithResend
from .told import WithTold


class DeliveryInline(ReadOnlyInline):
    model = Delivery
    fields = readonly_fields = ("channel", "masked", "status", "tries", "last_code", "accepted_at", "delivered_at")

    @admin.display(description=gettext_lazy("recipient"))
    def masked(self, delivery: Delivery) -> str:
        return masked(delivery)


class AttemptInline(ReadOnlyInline):
    model = Attempt
    fields = readonly_fields = ("n", "started_at", "finished_at", "outcome", "code")


class ResendInline(ReadOnlyInline):
    model = Resend
    fields = readonly_fields = ("at", "by", "why")


@admin.register(Event)
class EventAdmin(WithTold):
    """What customers were told. The words themselves are not shown: codes and amounts are in them."""

    list_display = ("at", "message", "purpose", "about", "customer")
    list_filter = ("purpose", "message")
    search_fields = ("about", "customer__ref")
    list_select_related = ("customer",)
    fields = ("at", "message", "purpose", "about", "customer", "told_link", "language", "expires_at")
    readonly_fields = ("told_link",)
    inlines = (DeliveryInline,)
    date_hierarchy = "at"


@admin.register(Delivery)
class DeliveryAdmin(WithResend):
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
        "explained",
        "carrier",
        "provider_ref",
        "not_before",
        "accepted_at",
        "delivered_at",
    )
    readonly_fields = ("masked", "explained", "carrier")
    inlines = (AttemptInline, ResendInline)
    shown_status = status_badge(Delivery.TONE)

    @admin.display(description=gettext_lazy("recipient"))
    def masked(self, delivery: Delivery) -> str:
        return masked(delivery)

    @admin.display(description=gettext_lazy("which means"))
    def explained(self, delivery: Delivery) -> str:
        return codes.explain(delivery.last_code, delivery.carrier) or "–"


def masked(delivery: Delivery) -> str:
    """Whether there is an address, not which."""
    return MASK if delivery.recipient or delivery.at_account else "–"
