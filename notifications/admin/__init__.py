"""Staff screens of this room."""

from . import calls, outbox, tickets

__all__ = ["calls", "outbox", "tickets"]
