"""Attempts to pay, and what people decide about money that fits nothing."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Customer
from billing import flows
from billing.admin.buttons import Button, WithButtons
from billing.admin.columns import code, customer_link, explained, gateway_name, money, shown_rial, when
from billing.admin.forms import RefundForm
from billing.models import LedgerEntry, Payment, PaymentEvent, Refund
from portal.admin import ReadOnlyInline, status_badge

BREAK = mark_safe("<br>")
Status = Payment.Status
# About these there is something to ask the bank.
ASKED_ABOUT = {Status.NEW, Status.SENT, Status.CANCELLED} | Payment.WAITING


class QueueFilter(admin.SimpleListFilter):
    """What waits, and for whom."""

    title = gettext_lazy("waits for")
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return (
            ("inbox", gettext_lazy("A decision: money taken, not applied")),
            ("unanswered", gettext_lazy("The bank's answer")),
            ("stuck", gettext_lazy("A person, for whatever reason")),
        )

    def queryset(self, request: HttpRequest, payments: Any) -> Any:
        if self.value() == "inbox":
            return payments.inbox()
        if self.value() == "unanswered":
            return payments.filter(status__in=Payment.WAITING)
        return payments.stuck() if self.value() == "stuck" else payments


class GatewayFilter(admin.SimpleListFilter):
    title = gettext_lazy("gateway")
    parameter_name = "gateway"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [(slug, gateway_name(slug)) for slug in settings.GATEWAYS]

    def queryset(self, request: HttpRequest, payments: Any) -> Any:
        return payments.filter(gateway=self.value()) if self.value() else payments


class PaymentEventInline(ReadOnlyInline):
    """The attempt's life, step by step."""

    model = PaymentEvent
    hide_title = True
    fields = readonly_fields = ("time", "step", "meaning", "note_in_words")
    time = when(PaymentEvent, "at")

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


class RefundInline(ReadOnlyInline):
    """What people gave back of it at the bank, or are about to."""

    model = Refund
    fields = readonly_fields = ("amount_shown", "why", "status", "asked_by", "decided_by", "bank_reference")
    show_change_link = True
    amount_shown = money("amount", gettext_lazy("amount"))

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("asked_by", "decided_by")


# --- buttons ----------------------------------------------------------------------------------------------------------


def can_be_asked_about(payment: Payment) -> bool:
    # Those of a gateway that was taken out of the settings have nobody to ask, nor have those whose token is gone.
    was_there = payment.status != Status.CANCELLED or payment.token is not None
    return payment.status in ASKED_ABOUT and payment.gateway in settings.GATEWAY and was_there


def can_be_given_back(payment: Payment) -> bool:
    """As a whole, by the gateway: nothing of it lies on an invoice any more."""
    is_free = payment.status == Status.UNAPPLIED or 0 < (payment.taken or 0) <= flows.refundable(payment)
    return is_free and flows.can_reverse(payment)


def refund_form(payment: Payment, data: Any) -> forms.Form:
    why = Refund.Why.TAKEN_BACK if payment.invoice.status == "taken_back" else Refund.Why.ASKED_FOR
    return RefundForm(data, initial={"amount": flows.refundable(payment), "why": why})


def look_again(payment: Payment, by: Customer) -> str:
    return flows.look_again(payment=payment)


def keep_as_credit(payment: Payment, by: Customer) -> bool:
    return flows.keep_as_credit(payment=payment)


def give_back(payment: Payment, by: Customer) -> bool:
    return flows.give_back(payment=payment)


def ask_for_refund(payment: Payment, by: Customer, amount: int, why: str) -> Refund:
    return flows.ask_for_refund(payment=payment, amount=amount, why=why, by=by)


def dismiss(payment: Payment, by: Customer) -> bool:
    return flows.dismiss(payment=payment)


@admin.register(Payment)
class PaymentAdmin(WithButtons):
    """Attempts to pay. The bank's token is not shown: it serves nobody here."""

    list_display = ("order_number", "invoice", "customer", "bank", "shown_status", "sums", "receipt_shown", "created")
    list_filter = (QueueFilter, "status", GatewayFilter, "created_at")
    list_select_related = ("invoice__customer",)
    search_fields = ("order_number", "receipt", "trace", "invoice__number", "invoice__customer__ref")
    fields = (
        "order_number",
        "invoice",
        "customer_shown",
        "credit",
        "bank",
        "sums",
        "status",
        "answer",
        "receipt_shown",
        "trace_shown",
        "time",
        "tries",
        "next_try",
        "deadline",
        "created",
    )
    readonly_fields = fields
    facts = ("order_number", "customer_shown", "credit", "bank", "sums", "receipt_shown", "time")
    inlines = (PaymentEventInline, RefundInline)
    actions = ("look_again",)
    customer_shown = customer_link(lambda payment: payment.invoice.customer)
    shown_status = status_badge(Payment.TONE)
    receipt_shown = code("receipt", gettext_lazy("receipt"))
    trace_shown = code("trace", gettext_lazy("second number of the receipt"))
    time = when(Payment, "bank_time")
    next_try = when(Payment, "next_try_at")
    deadline = when(Payment, "verify_deadline")
    created = when(Payment, "created_at")
    buttons = (
        Button(
            "look_again",
            gettext_lazy("Ask the bank again"),
            fits=can_be_asked_about,
            do=look_again,
            done=gettext_lazy("Looked at again. It stands at: %(status)s."),
        ),
        Button(
            "keep_as_credit",
            gettext_lazy("Keep as the customer's credit"),
            fits=lambda payment: payment.status == Status.UNAPPLIED,
            says=gettext_lazy(
                "What the bank took becomes the customer's credit, and the customer is told so. From there it can pay"
                " an invoice, or be given back at the bank."
            ),
            do=keep_as_credit,
            done=gettext_lazy("Kept as the customer's credit; the customer is told."),
        ),
        Button(
            "give_back",
            gettext_lazy("Give back by the gateway"),
            fits=can_be_given_back,
            says=gettext_lazy(
                "The gateway is asked to give the whole payment back to the card that paid. The customer is told once"
                " it has done so."
            ),
            do=give_back,
            done=gettext_lazy("The gateway was asked to give it back. It stands at: %(status)s."),
            missed=gettext_lazy(
                "A colleague was faster, or the gateway's time for giving back is over; nothing was changed."
            ),
            is_grave=True,
        ),
        Button(
            "ask_for_refund",
            gettext_lazy("Ask for a refund at the bank"),
            fits=lambda payment: flows.refundable(payment) > 0,
            says=gettext_lazy(
                "The amount leaves the customer's credit now, so that it cannot be spent meanwhile. A colleague has to"
                " agree before anybody transfers it at the bank."
            ),
            form=refund_form,
            do=ask_for_refund,
            done=gettext_lazy("Asked for. A colleague has to agree now."),
        ),
        Button(
            "dismiss",
            gettext_lazy("Nothing was taken"),
            fits=lambda payment: payment.status == Status.SUSPECT,
            says=gettext_lazy(
                "You have looked at the bank's own books: nothing was taken for us, or the bank gives it back by"
                " itself. The payment is over."
            ),
            do=dismiss,
            done=gettext_lazy("Written down: nothing was taken for us."),
            is_grave=True,
        ),
    )

    def get_inlines(self, request: HttpRequest, obj: Payment | None) -> Any:
        """An empty list of refunds says nothing."""
        return self.inlines if obj and obj.refunds.exists() else self.inlines[:1]

    def advice(self, payment: Payment, by: Customer) -> list[str]:
        if payment.status != Status.UNAPPLIED:
            return []
        words = [_("To give it back at the bank, first keep it as the customer's credit, then ask for a refund.")]
        if not flows.can_reverse(payment):
            words.insert(0, _("The gateway cannot give it back any more."))
        return words

    @admin.display(description=gettext_lazy("customer"))
    def customer(self, payment: Payment) -> str:
        return payment.invoice.customer.ref

    @admin.display(description=gettext_lazy("customer's credit now"))
    def credit(self, payment: Payment) -> str:
        return shown_rial(LedgerEntry.objects.visible_to(payment.invoice.customer).credit().total())

    @admin.display(description=gettext_lazy("gateway"), ordering="gateway")
    def bank(self, payment: Payment) -> str:
        return gateway_name(payment.gateway)

    @admin.display(description=gettext_lazy("amount"), ordering="amount")
    def sums(self, payment: Payment) -> str:
        lines = [(shown_rial(payment.amount),)]
        if payment.taken is not None and payment.taken != payment.amount:
            lines.append((_("The bank took %(sum)s") % {"sum": shown_rial(payment.taken)},))
        return format_html_join(BREAK, '<span class="staff-one">{}</span>', lines)

    @admin.display(description=gettext_lazy("bank's last answer"))
    def answer(self, payment: Payment) -> str:
        return explained(payment.gateway, payment.result_code)

    @admin.action(description=gettext_lazy("Ask the bank again"), permissions=["press"])
    def look_again(self, request: HttpRequest, payments: QuerySet[Payment]) -> None:
        asked = [payment for payment in payments if can_be_asked_about(payment)][:20]
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
