"""Staff screens of money: the catalogue is edited, what happened is only read, and its buttons call the flows."""

from billing.admin import catalogue, gateways, invoices, payments, refunds, statements  # noqa: F401
