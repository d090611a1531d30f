"""A component, what runs on it and for whom, and the second person: for tests of incidents and maintenance."""

import datetime as dt
import secrets
from typing import Any

from django.utils import timezone

from accounts.models import Customer
from billing.models import Order, Plan, Service
from notifications import flows
from notifications.models import Broadcast, Component, Delivery, Event, Incident, Maintenance

WORDS = {"text_fa": "در حال بررسی هستیم.", "text_en": "We are looking into it."}
ABOUT = {"about_fa": "سوییچ نو", "about_en": "A new switch"}


def component(slug: str = "web", name_en: str = "Web hosting", **fields: Any) -> Component:
    return Component.objects.create(slug=slug, name_fa="میزبانی وب", name_en=name_en, **fields)


def plan_on(*components: Component) -> Plan:
    n = Plan.objects.count()
    names = {"name_fa": f"طرح {n}", "name_en": f"Plan {n}", "about_fa": "–", "about_en": "–"}
    plan = Plan.objects.create(slug=f"plan-{n}", monthly_price=1000, **names)
    plan.components.set(components)
    return plan


def service(customer: Customer, plan: Plan, status: str = "active") -> Service:
    """One that runs, or stands as `status` says."""
    today = timezone.localdate()
    order = Order.objects.create(customer=customer, plan=plan, plan_price=1000, form_token=secrets.token_hex(8))
    return Service.objects.create(
        customer=customer,
        order=order,
        name_fa=plan.name_fa,
        name_en=plan.name_en,
        status=status,
        active_from=today,
        paid_until=today + dt.timedelta(days=30),
    )


def opened(*components: Component, by: Customer, severity: str = "medium", **fields: Any) -> Incident:
    return flows.open_incident(components=components, severity=severity, by=by, **{**WORDS, **fields})


def planned(*components: Component, by: Customer, hours: float = 48, **fields: Any) -> Maintenance:
    """Announced, to begin after so many hours."""
    start = timezone.now() + dt.timedelta(hours=hours)
    window = {"starts_at": start, "ends_at": start + dt.timedelta(hours=2)}
    maintenance = flows.plan_maintenance(components=components, by=by, **{**window, **ABOUT, **fields})
    flows.announce_maintenance(maintenance=maintenance, by=by)
    return maintenance


def notices(trouble: Any) -> list[tuple[str, str]]:
    """Its broadcasts, the first first: message and status."""
    return list(Broadcast.objects.filter(source=trouble.source).order_by("pk").values_list("message", "status"))


def approve(trouble: Any, by: Customer) -> None:
    """The second person approves whatever waits, and it is written into the outbox."""
    for broadcast in Broadcast.objects.filter(source=trouble.source, status="ready"):
        flows.approve_broadcast(broadcast=broadcast, by=by)
    write()


def write() -> None:
    """What is approved goes into the outbox, as the periodic task does it."""
    flows.fan_out_due()


def heard(customer: Customer) -> list[str]:
    """The messages of troubles that were written for a customer, the first first."""
    events = Event.objects.filter(customer=customer, broadcast__isnull=False).order_by("broadcast_id")
    return list(events.values_list("message", flat=True))


def ways(customer: Customer) -> list[str]:
    return sorted(
        Delivery.objects.filter(event__customer=customer, broadcast__isnull=False).values_list("channel", flat=True)
    )
