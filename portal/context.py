"""What every page may say about the portal itself."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Theme chosen by the reader, and how to reach people."""
    theme = request.COOKIES.get("theme", "")
    return {"theme": theme if theme in ("light", "dark") else "", "support_phone": settings.SUPPORT_PHONE}
