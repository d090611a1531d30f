"""Staff screens of this room."""

from . import broadcasts, incidents, outbox, tickets

__all__ = ["broadcasts", "incidents", "outbox", "tickets"]
