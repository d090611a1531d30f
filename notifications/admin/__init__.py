"""Staff screens of this room."""

from . import outbox, tickets, wording

__all__ = ["outbox", "tickets", "wording"]
