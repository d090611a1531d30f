"""Staff screens of this room."""

from . import broadcasts, outbox, tickets

__all__ = ["broadcasts", "outbox", "tickets"]
