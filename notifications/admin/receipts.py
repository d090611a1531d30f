"""What companies said of our messages in the end, and addresses that do not work."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import flows
from notifications.models import Receipt, Suppression
from portal.admin import ReadOnlyAdmin


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    list_display = ("at", "carrier", "state", "code", "ref")
    list_filter = ("carrier", "state")
    search_fields = ("=ref",)
    ordering = ("-pk",)


@admin.register(Suppression)
class SuppressionAdmin(ReadOnlyAdmin):
    """Whom we do not write to because letters came back. Ask them by another way whether the address is right."""

    list_display = ("at", "reader", "channel", "reason", "code", "lifted_at", "lifted_why")
    list_filter = ("channel", "reason", ("lifted_at", admin.EmptyFieldListFilter))
    search_fields = ("reader__ref",)
    list_select_related = ("reader",)
    actions = ("lift_works", "lift_mistake")

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.change_suppression")

    @admin.action(description=gettext_lazy("Write again: its owner told us that it works"), permissions=["lift"])
    def lift_works(self, request: HttpRequest, suppressions: Any) -> None:
        self._lift(request, suppressions, Suppression.Lift.WORKS)

    @admin.action(description=gettext_lazy("Write again: the report was wrong"), permissions=["lift"])
    def lift_mistake(self, request: HttpRequest, suppressions: Any) -> None:
        self._lift(request, suppressions, Suppression.Lift.MISTAKE)

    def _lift(self, request: HttpRequest, suppressions: Any, why: str) -> None:
        lifted = sum(
            flows.lift_suppression(reader=each.reader, channel=each.channel, why=why, by=request.user)
            for each in suppressions.open().select_related("reader")
        )
        messages.success(request, _("We write to %(count)s again.") % {"count": lifted})
