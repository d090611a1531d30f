"""Staff screens of this room."""

from . import broadcasts, incidents, outbox, receipts, tickets, wording

__all__ = ["broadcasts", "incidents", "outbox", "receipts", "tickets", "wording"]
