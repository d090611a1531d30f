"""What was ordered, what runs, what is owed, and every move of money."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from accounts.models import Customer
from billing import flows
from billing.admin.buttons import Button, WithButtons
from billing.admin.columns import customer_link, money, step_in_words, when
from billing.models import (
    Invoice,
    InvoiceEvent,
    InvoiceLine,
    LedgerEntry,
    Order,
    OrderEvent,
    Payment,
    Service,
    ServiceEvent,
)
from portal.admin import ReadOnlyAdmin, ReadOnlyInline, status_badge
from portal.jalali import digits
from portal.templatetags.words import language


class OrderEventInline(ReadOnlyInline):
    model = OrderEvent
    hide_title = True
    fields = readonly_fields = ("time", "step")
    time = when(OrderEvent, "at")
    step = step_in_words(Order)


class ServiceEventInline(ReadOnlyInline):
    model = ServiceEvent
    hide_title = True
    fields = readonly_fields = ("time", "step")
    time = when(ServiceEvent, "at")
    step = step_in_words(Service)


class InvoiceEventInline(ReadOnlyInline):
    model = InvoiceEvent
    hide_title = True
    fields = readonly_fields = ("time", "step")
    time = when(InvoiceEvent, "at")
    step = step_in_words(Invoice)


class InvoiceLineInline(ReadOnlyInline):
    model = InvoiceLine
    hide_title = True
    fields = readonly_fields = ("name_fa", "name_en", "amount_shown")
    amount_shown = money("amount", gettext_lazy("amount"))


class PaymentInline(ReadOnlyInline):
    model = Payment
    fields = readonly_fields = ("order_number", "gateway", "status", "amount_shown", "receipt", "time")
    show_change_link = True
    time = when(Payment, "bank_time")
    amount_shown = money("amount", gettext_lazy("amount"))


class InvoiceInline(ReadOnlyInline):
    model = Invoice
    fields = readonly_fields = ("number", "status", "total_shown", "due", "paid")
    show_change_link = True
    due = when(Invoice, "due_on")
    paid = when(Invoice, "paid_at")
    total_shown = money("total", gettext_lazy("total"))


def cancel_paid_order(order: Order, by: Customer) -> bool:
    return flows.cancel_paid_order(order=order)


@admin.register(Order)
class OrderAdmin(WithButtons):
    list_display = ("number", "customer", "plan", "option", "shown_status", "placed")
    list_filter = ("status", "plan", "placed_at")
    list_select_related = ("customer", "plan", "option")
    search_fields = ("number", "customer__ref")
    fields = ("number", "customer_shown", "plan", "option", "price", "option_price_shown", "status", "placed")
    facts = ("number", "customer_shown", "plan", "price")
    readonly_fields = fields
    inlines = (InvoiceInline, OrderEventInline)
    customer_shown = customer_link(lambda order: order.customer)
    price = money("plan_price", gettext_lazy("monthly price"))
    option_price_shown = money("option_price", gettext_lazy("option's monthly price"))
    shown_status = status_badge(Order.TONE)
    placed = when(Order, "placed_at")
    buttons = (
        Button(
            "cancel_paid_order",
            gettext_lazy("Cancel the paid order"),
            fits=lambda order: order.status == Order.Status.PAID,
            says=gettext_lazy(
                "The service ends now, and it cannot be started again. What was paid becomes the customer's credit;"
                " from there it can pay another invoice, or be given back."
            ),
            do=cancel_paid_order,
            done=gettext_lazy("Cancelled: the service has ended, and what was paid is the customer's credit."),
            is_grave=True,
        ),
    )


@admin.register(Service)
class ServiceAdmin(ReadOnlyAdmin):
    """Only read, but for what it runs on beside its plan's components."""

    list_display = ("name", "customer", "shown_status", "since", "until")
    list_filter = ("status", "paid_until")
    list_select_related = ("customer",)
    search_fields = ("public_id", "name_fa", "name_en", "customer__ref")
    readonly_fields = ("public_id", "name_fa", "name_en", "customer", "order", "status", "since", "until")
    fields = (*readonly_fields, "components")
    filter_horizontal = ("components",)
    inlines = (ServiceEventInline,)
    shown_status = status_badge(Service.TONE)
    since = when(Service, "active_from")
    until = when(Service, "paid_until")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("billing.change_service")


@admin.register(Invoice)
class InvoiceAdmin(WithButtons):
    """With the button of its order: who looks for money stands here."""

    list_display = ("number", "customer", "shown_status", "total_shown", "issued", "due", "paid")
    list_filter = ("status", "issued_at", "due_on")
    list_select_related = ("customer",)
    search_fields = ("number", "customer__ref")
    fields = (
        "number",
        "customer_shown",
        "order",
        "status",
        "subtotal_shown",
        "tax_rate",
        "tax_shown",
        "total_shown",
        "received_shown",
        "due_shown",
        "issued",
        "due",
        "paid",
    )
    readonly_fields = fields
    facts = ("number", "customer_shown", "total_shown", "received_shown")
    inlines = (InvoiceLineInline, PaymentInline, InvoiceEventInline)
    customer_shown = customer_link(lambda invoice: invoice.customer)
    shown_status = status_badge(Invoice.TONE)
    issued = when(Invoice, "issued_at")
    due = when(Invoice, "due_on")
    paid = when(Invoice, "paid_at")
    subtotal_shown = money("subtotal", gettext_lazy("before tax"))
    tax_shown = money("tax", gettext_lazy("tax"))
    total_shown = money("total", gettext_lazy("total"))
    received_shown = money("received", gettext_lazy("received"))
    due_shown = money("due", gettext_lazy("still due"))

    @admin.display(description=gettext_lazy("rate"))
    def tax_rate(self, invoice: Invoice) -> str:
        return digits(f"{invoice.tax_percent}%", language())

    def has_press_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.change_order")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("order")

    buttons = (
        OrderAdmin.buttons[0]._replace(
            fits=lambda invoice: invoice.order.status == Order.Status.PAID,
            do=lambda invoice, by: flows.cancel_paid_order(order=invoice.order),
        ),
    )


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    class Media:
        css = {"all": ["css/staff.css"]}

    list_display = ("time", "customer", "kind", "amount_shown", "invoice", "payment")
    list_filter = ("kind", "at")
    list_select_related = ("customer", "invoice", "payment")
    search_fields = ("invoice__number", "customer__ref")
    fields = ("time", "customer", "kind", "amount_shown", "invoice", "payment")
    readonly_fields = fields
    amount_shown = money("amount", gettext_lazy("amount"))
    time = when(LedgerEntry, "at")
