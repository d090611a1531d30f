"""Staff screens of this room."""

from . import calls, outbox, receipts, tickets

__all__ = ["calls", "outbox", "receipts", "tickets"]
