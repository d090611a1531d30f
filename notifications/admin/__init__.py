"""Staff screens of this room."""

from . import broadcasts, calls, incidents, outbox, receipts, tickets, wording

__all__ = ["broadcasts", "calls", "incidents", "outbox", "receipts", "tickets", "wording"]
