"""Staff screens of this room."""

from . import outbox, tickets

__all__ = ["outbox", "tickets"]
