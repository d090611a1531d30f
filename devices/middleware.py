"""Replaced by the devices room."""

from django_user_agents.middleware import UserAgentMiddleware


class DeviceMiddleware(UserAgentMiddleware):  # type: ignore[misc]
    """Replaced by the devices room."""
