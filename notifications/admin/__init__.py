"""Staff screens of this room."""

from . import outbox, receipts, tickets, wording

__all__ = ["outbox", "receipts", "tickets", "wording"]
