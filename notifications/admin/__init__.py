"""Staff screens of this room."""

from . import broadcasts, calls, incidents, lanes, outbox, receipts, tickets, wording

__all__ = ["broadcasts", "calls", "incidents", "lanes", "outbox", "receipts", "tickets", "wording"]
