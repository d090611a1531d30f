"""Staff screens of money: the catalogue is edited, what happened is only read."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.admin import ModelAdmin, TabularInline

from billing import flows, gateways
from billing.models import (
    Invoice,
    InvoiceLine,
    LedgerEntry,
    Option,
    Order,
    OrderEvent,
    Payment,
    PaymentEvent,
    Plan,
    Service,
    ServiceEvent,
    TaxRate,
)
from portal.admin import ReadOnlyAdmin, ReadOnlyInline
from portal.jalali import rial
from portal.templatetags.words import language


def money(field: str, words: Any) -> Any:
    """A column of Rials with its thousands parted."""

    @admin.display(description=words, ordering=field)
    def show(_admin: Any, row: Any) -> str:
        return rial(getattr(row, field), language())

    return show


def explained(gateway: str, code: str) -> str:
    """The bank's result code with what it means, in the language of the page."""
    words = gateways.explained(gateway, code)
    return f"{code} – {words}" if words and words != code else code or "–"


class OptionInline(TabularInline):
    model = Option
    extra = 0
    prepopulated_fields = {"slug": ("name_en",)}


@admin.register(Plan)
class PlanAdmin(ModelAdmin):
    list_display = ("slug", "name_fa", "name_en", "price", "is_on_sale")
    list_filter = ("is_on_sale",)
    search_fields = ("slug", "name_fa", "name_en")
    prepopulated_fields = {"slug": ("name_en",)}
    inlines = (OptionInline,)
    price = money("monthly_price", gettext_lazy("monthly price"))


@admin.register(TaxRate)
class TaxRateAdmin(ModelAdmin):
    list_display = ("valid_from", "rate")
    ordering = ("-valid_from",)

    @admin.display(description=gettext_lazy("rate"))
    def rate(self, row: TaxRate) -> str:
        return str(row)


class OrderEventInline(ReadOnlyInline):
    model = OrderEvent
    fields = readonly_fields = ("at", "was", "now")


class ServiceEventInline(ReadOnlyInline):
    model = ServiceEvent
    fields = readonly_fields = ("at", "was", "now")


class InvoiceLineInline(ReadOnlyInline):
    model = InvoiceLine
    fields = readonly_fields = ("name_fa", "name_en", "amount")


class PaymentInline(ReadOnlyInline):
    model = Payment
    fields = readonly_fields = ("order_number", "gateway", "status", "amount", "receipt", "bank_time")
    show_change_link = True


class PaymentEventInline(ReadOnlyInline):
    """The attempt's life, step by step."""

    model = PaymentEvent
    fields = readonly_fields = ("at", "step", "meaning", "note_in_words")

    @admin.display(description=gettext_lazy("step"))
    def step(self, event: PaymentEvent) -> str:
        return event.title

    @admin.display(description=gettext_lazy("bank's answer"))
    def meaning(self, event: PaymentEvent) -> str:
        return explained(event.payment.gateway, event.code)

    @admin.display(description=gettext_lazy("note"))
    def note_in_words(self, event: PaymentEvent) -> str:
        return event.note_words or "–"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("payment")


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = ("number", "customer", "plan", "option", "status", "placed_at")
    list_filter = ("status", "plan", "placed_at")
    list_select_related = ("customer", "plan", "option")
    search_fields = ("number", "customer__ref")
    fields = ("number", "customer", "plan", "option", "plan_price", "option_price", "status", "placed_at")
    inlines = (OrderEventInline,)


@admin.register(Service)
class ServiceAdmin(ReadOnlyAdmin):
    list_display = ("name", "customer", "status", "active_from", "paid_until")
    list_filter = ("status", "paid_until")
    list_select_related = ("customer",)
    search_fields = ("public_id", "name_fa", "name_en", "customer__ref")
    fields = ("public_id", "name_fa", "name_en", "customer", "order", "status", "active_from", "paid_until")
    inlines = (ServiceEventInline,)


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    list_display = ("number", "customer", "status", "total_shown", "issued_at", "due_on", "paid_at")
    list_filter = ("status", "issued_at", "due_on")
    list_select_related = ("customer",)
    search_fields = ("number", "customer__ref")
    fields = ("number", "customer", "order", "status", "subtotal", "tax_percent", "tax", "total", "issued_at", "due_on")
    readonly_fields = ("tax_percent",)
    inlines = (InvoiceLineInline, PaymentInline)
    total_shown = money("total", gettext_lazy("total"))


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    """Attempts to pay. The bank's token is not shown: it serves nobody here."""

    list_display = ("order_number", "invoice", "customer", "gateway", "status", "amount_shown", "receipt", "created_at")
    list_filter = ("status", "gateway", "created_at")
    list_select_related = ("invoice__customer",)
    search_fields = ("order_number", "receipt", "trace", "invoice__number", "invoice__customer__ref")
    fields = (
        "order_number",
        "invoice",
        "customer",
        "gateway",
        "amount_shown",
        "status",
        "answer",
        "receipt",
        "trace",
        "bank_time",
        "tries",
        "next_try_at",
        "verify_deadline",
        "created_at",
    )
    readonly_fields = fields
    inlines = (PaymentEventInline,)
    actions = ("look_again",)
    amount_shown = money("amount", gettext_lazy("amount"))

    @admin.display(description=gettext_lazy("customer"))
    def customer(self, payment: Payment) -> str:
        return payment.invoice.customer.ref

    @admin.display(description=gettext_lazy("bank's last answer"))
    def answer(self, payment: Payment) -> str:
        return explained(payment.gateway, payment.result_code)

    @admin.action(description=gettext_lazy("Ask the bank again"), permissions=["view"])
    def look_again(self, request: HttpRequest, payments: QuerySet[Payment]) -> None:
        # Those of a gateway that was taken out of the settings have nobody to ask.
        asked = payments.exclude(status__in=Payment.OVER).filter(gateway__in=settings.GATEWAY)[:20]
        for payment in asked:
            flows.look_again(payment=payment)
        done = len(asked)
        messages.success(
            request,
            ngettext("%(count)s payment was looked at again.", "%(count)s payments were looked at again.", done)
            % {"count": done}
            if done
            else _("Nothing to ask: these payments are over."),
        )


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "customer", "kind", "amount_shown", "invoice", "payment")
    list_filter = ("kind", "at")
    list_select_related = ("customer", "invoice", "payment")
    search_fields = ("invoice__number", "customer__ref")
    fields = ("at", "customer", "kind", "amount", "invoice", "payment")
    amount_shown = money("amount", gettext_lazy("amount"))
