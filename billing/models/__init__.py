"""What can be ordered, what was ordered, what is owed, what was paid."""

from .catalogue import Option, Plan, TaxRate
from .gateway_accounts import GatewayAccount, Way
from .invoices import Invoice, InvoiceCounter, InvoiceEvent, InvoiceLine, LedgerEntry
from .orders import Order, OrderEvent, Service, ServiceEvent
from .payment_events import PaymentEvent
from .payments import Payment
from .refunds import Refund, RefundEvent
from .statements import Statement, StatementLine
from .steps import ForbiddenMove

__all__ = [
    "ForbiddenMove",
    "GatewayAccount",
    "Invoice",
    "InvoiceCounter",
    "InvoiceEvent",
    "InvoiceLine",
    "LedgerEntry",
    "Option",
    "Order",
    "OrderEvent",
    "Payment",
    "PaymentEvent",
    "Plan",
    "Refund",
    "RefundEvent",
    "Service",
    "ServiceEvent",
    "Statement",
    "StatementLine",
    "TaxRate",
    "Way",
]
