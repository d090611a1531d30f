"""What part of the portal a page belongs to, so that a colleague sees of a company only what her role is for."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

AREAS = ("home", "services", "orders", "invoices", "tickets", "messages")


class AreaRequest(HttpRequest):
    """A request to a page of an area."""

    customer: Any  # whose orders, tickets and messages these are: who is signed in, or the company she acts for
    acting: Any  # accounts/acting.py


def area(name: str) -> Callable[[Any], Any]:
    """Say to which area a page belongs. accounts/middleware.py lets in whom the role lets in."""
    if name not in AREAS:
        raise ValueError(f"{name!r} is no area")

    def mark(view: Any) -> Any:
        view.area = name
        return view

    return mark
