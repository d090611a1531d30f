"""Order, and take an order back."""

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Customer
from billing.models import Invoice, Option, Order, Payment, Plan, Service
from billing.models.invoices import Line
from notifications.flows import tell


class CannotCancel(Exception):
    """In the customer's words: why the order stays."""


def place_order(*, customer: Customer, plan: Plan, option: Option | None, form_token: str) -> Order:
    """Order, waiting service and invoice in one transaction. The same form sent twice gives the same order."""
    with transaction.atomic():
        new = Order(
            customer=customer,
            form_token=form_token,
            plan=plan,
            option=option,
            plan_price=plan.monthly_price,
            option_price=option.monthly_price if option else 0,
        )
        Order.objects.bulk_create([new], ignore_conflicts=True)
        order = Order.objects.select_related("customer").get(customer=customer, form_token=form_token)
        if order.number == new.number:  # else the same form came before
            parts: list[Plan | Option] = [plan, option] if option else [plan]
            lines = [Line(part.name_fa, part.name_en, part.monthly_price) for part in parts]
            service = Service.objects.create(
                customer=customer,
                order=order,
                name_fa=" + ".join(part.name_fa for part in parts),
                name_en=" + ".join(part.name_en for part in parts),
            )
            service.events.create(now=service.status)
            invoice = Invoice.issue(order=order, lines=lines)
            context = {"number": invoice.number, "total": invoice.total, "due_on": invoice.due_on.isoformat()}
            tell(customer, "invoice_issued", about=f"invoice:{invoice.number}", context=context | link(invoice))
    return order


def cancel_order(*, order: Order) -> bool:
    """Take back an unpaid order: its invoice is void and its service never starts. False when it was so already.

    What was paid in part becomes the customer's credit.
    """
    with transaction.atomic():
        invoices = _lock_invoices(order)
        order.refresh_from_db()
        if order.status == Order.Status.CANCELLED:
            return False
        if order.status == Order.Status.PAID:
            raise CannotCancel(_("This order is already paid. Please open a ticket to end the service."))
        for invoice in invoices:
            invoice.void()
        order.service.end()
        return order.cancel()


def cancel_paid_order(*, order: Order) -> bool:
    """Staff take back a paid order: the service ends, and what was paid becomes the customer's credit."""
    with transaction.atomic():
        invoices = _lock_invoices(order)
        order.refresh_from_db()
        if order.status != Order.Status.PAID:
            raise CannotCancel(_("This order is not paid."))
        for invoice in invoices:
            invoice.take_back()
        order.service.end()
        return order.cancel()


def _lock_invoices(order: Order) -> list[Invoice]:
    invoices = list(order.invoices.select_for_update())
    if Payment.objects.filter(invoice__in=invoices).unanswered().exists():
        raise CannotCancel(_("A payment for this order is being checked. Please wait for the bank's answer."))
    return invoices


def settle_invoice(invoice: Invoice, customer: Customer, *, due: int) -> None:
    """Once nothing is due: the invoice and its order are paid, and the service starts. Under the row's lock."""
    if not invoice.settle(due=due):
        return
    invoice.order.pay()
    service = invoice.order.service
    # It may have ended while the bank kept silent, as when an account is closed: the money is kept all the same.
    if service.status != Service.Status.ENDED and service.activate():
        name = service.name_en if customer.language == "en" else service.name_fa
        about = f"service:{service.public_id}"
        tell(customer, "service_activated", about=about, context={"name": name} | link(service))


def link(row: Invoice | Service) -> dict[str, str]:
    return {"url": settings.SITE_URL + row.get_absolute_url()}
