"""Staff screens of this room."""

from . import outbox, receipts, tickets

__all__ = ["outbox", "receipts", "tickets"]
