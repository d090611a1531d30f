"""Many customers, and a broadcast to them."""

from typing import Any

from accounts.models import Customer
from notifications import flows
from notifications.models import Broadcast
from tests.base import make_customer

WORDS = {"version": 2, "effective": "2026-12-23", "url": "http://127.0.0.1:8000/policy/versions/2/"}


def crowd(count: int) -> list[Customer]:
    return [
        make_customer(f"crowd{n}@example.com", f"+98935{n:07d}", language="fa" if n % 2 else "en") for n in range(count)
    ]


def everybody() -> Any:
    return Customer.objects.filter(is_staff=False).values("pk")


def prepared(by: Customer | None, audience: Any = None, **how: Any) -> Broadcast:
    """One that goes out at whatever hour the test runs."""
    how = {"heeds_quiet_hours": False, **how}
    how = {"reason": "policy", "source": "policy:2", "message": "policy_published", "context": WORDS, **how}
    return flows.prepare_broadcast(audience=everybody() if audience is None else audience, by=by, **how)


def approved(by: Customer, **how: Any) -> Broadcast:
    """Prepared by an operator's command, approved by this member of staff."""
    broadcast = prepared(None, **how)
    flows.approve_broadcast(broadcast=broadcast, by=by)
    return broadcast
