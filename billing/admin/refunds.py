"""Money that goes back at the bank: one has asked, a colleague decides, the bank's number ends it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Customer
from billing import flows
from billing.admin.buttons import Button, WithButtons
from billing.admin.columns import customer_link, money, step_in_words, when
from billing.admin.forms import BankReferenceForm
from billing.models import Refund, RefundEvent
from portal.admin import ReadOnlyInline, status_badge
from portal.jalali import digits
from portal.templatetags.words import language

Status = Refund.Status


class RefundEventInline(ReadOnlyInline):
    model = RefundEvent
    hide_title = True
    fields = readonly_fields = ("time", "step")
    time = when(RefundEvent, "at")
    step = step_in_words(Refund)


def agree(refund: Refund, by: Customer) -> bool:
    return flows.agree_to_refund(refund=refund, by=by)


def refuse(refund: Refund, by: Customer) -> bool:
    return flows.refuse_refund(refund=refund, by=by)


def finish(refund: Refund, by: Customer, bank_reference: str) -> bool:
    return flows.finish_refund(refund=refund, bank_reference=bank_reference)


def is_asked(refund: Refund) -> bool:
    return refund.status == Status.ASKED


def is_mine_to_wait_for(refund: Refund, by: Customer) -> bool:
    return is_asked(refund) and refund.asked_by_id == by.pk


@admin.register(Refund)
class RefundAdmin(WithButtons):
    list_display = ("shown", "shown_status", "amount_shown", "customer", "payment", "why", "asked_by", "age")
    list_filter = ("status", "why", "asked_at")
    list_select_related = ("payment__invoice__customer", "asked_by")
    search_fields = ("payment__order_number", "payment__invoice__customer__ref", "bank_reference")
    fields = (
        "amount_shown",
        "status",
        "why",
        "customer_shown",
        "payment",
        "receipt",
        "asked_by",
        "asked",
        "decided_by",
        "bank_reference",
    )
    readonly_fields = fields
    facts = ("amount_shown", "why", "customer_shown", "payment", "receipt", "asked_by", "asked")
    inlines = (RefundEventInline,)
    amount_shown = money("amount", gettext_lazy("amount"))
    shown_status = status_badge(Refund.TONE)
    asked = when(Refund, "asked_at")
    customer_shown = customer_link(lambda refund: refund.payment.invoice.customer)
    buttons = (
        Button(
            "agree",
            gettext_lazy("Agree"),
            fits=is_asked,
            says=gettext_lazy(
                "You have looked at the payment and its reason yourself. The amount can then be transferred at the"
                " bank to the card that paid."
            ),
            do=agree,
            done=gettext_lazy("Agreed. It can be given back at the bank now."),
        ),
        Button(
            "refuse",
            gettext_lazy("Refuse"),
            fits=is_asked,
            says=gettext_lazy("Nothing goes back; the amount is the customer's credit again."),
            do=refuse,
            done=gettext_lazy("Refused; the amount is the customer's credit again."),
            is_grave=True,
        ),
        Button(
            "finish",
            gettext_lazy("Done at the bank"),
            fits=lambda refund: refund.status == Status.AGREED,
            says=gettext_lazy("The bank has transferred the amount. The customer is told so."),
            form=lambda refund, data: BankReferenceForm(data),
            do=finish,
            done=gettext_lazy("Written down; the customer is told."),
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related(*self.list_select_related)

    def offered(self, refund: Refund, by: Customer) -> list[Button]:
        return [] if is_mine_to_wait_for(refund, by) else super().offered(refund, by)

    def advice(self, refund: Refund, by: Customer) -> list[str]:
        if is_mine_to_wait_for(refund, by):
            return [_("You asked for this refund, so a colleague has to decide on it.")]
        return []

    @admin.display(description=gettext_lazy("number"), ordering="pk")
    def shown(self, refund: Refund) -> str:
        return str(refund)

    @admin.display(description=gettext_lazy("customer"))
    def customer(self, refund: Refund) -> str:
        return refund.payment.invoice.customer.ref

    @admin.display(description=gettext_lazy("receipt"))
    def receipt(self, refund: Refund) -> str:
        return format_html('<bdi dir="ltr" class="staff-code">{}</bdi>', refund.payment.receipt or "–")

    @admin.display(description=gettext_lazy("waits for"))
    def age(self, refund: Refund) -> str:
        if refund.status not in (Status.ASKED, Status.AGREED):
            return "–"
        return digits(timesince(refund.asked_at, timezone.now()), language())
