"""Staff screens of this room."""

from . import incidents, outbox, tickets

__all__ = ["incidents", "outbox", "tickets"]
