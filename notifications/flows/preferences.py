"""How readers wish to be reached, and the digests of who wants answers to tickets in one message."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse

from notifications.models import Delivery, Event, Preference, Purpose
from portal import jalali

from .telling import tell

NAMED = 5  # tickets that an SMS names; of more it says how many
COMMA = {"fa": "، ", "en": ", "}


def change_preferences(
    *, reader: Any, quiet_from: dt.time, quiet_until: dt.time, digest: bool, language: str | None = None
) -> None:
    """From the next message on. Who wants no digest any more gets with the next sweep what was gathered."""
    chosen = {"quiet_from": quiet_from, "quiet_until": quiet_until, "digest": digest, "changed_at": Now()}
    with transaction.atomic():
        Preference.objects.update_or_create(reader=reader, defaults=chosen)
        if not digest:
            Delivery.objects.gathered().filter(reader=reader).update(not_before=Now())
        if language and language != reader.language:
            reader.language = language
            reader.save(update_fields=["language"])


def send_digests() -> int:
    """Tell each reader in one message what was gathered for her until now; how many such messages were written."""
    due = Delivery.objects.gathered().filter(not_before__lte=Now())
    pairs = due.order_by().values_list("reader_id", "event__customer_id").distinct()
    return sum(_send_digest(reader, customer) for reader, customer in list(pairs))


def _send_digest(reader: Any, customer: Any) -> bool:
    """The message and the mark on each answer in it are one transaction: killed at any point, it is all or nothing."""
    with transaction.atomic():
        due = Delivery.objects.gathered().filter(reader=reader, event__customer=customer, not_before__lte=Now())
        rows = due.defer("recipient").select_related("event__customer").order_by("event__at", "channel", "pk")
        gathered = list(rows.select_for_update(of=("self",)))
        if not gathered:
            return False  # another sweep was faster
        whose = gathered[0].event.customer
        readers = [person for person in whose.readers(Purpose.TICKET) if person.pk == reader]
        if not readers:  # she acts for this company no more
            for row in gathered:
                row.drop("no-reader")
            return False
        events = list({row.event_id: row.event for row in gathered}.values())
        key = f"ticket_digest:{gathered[0].pk}"
        tell(whose, "ticket_digest", about="tickets", key=key, context=_words(events, whose), readers=readers)
        for row in gathered:
            row.digest()
        return True


def _words(events: list[Event], whose: Any) -> dict[str, Any]:
    """How many answers to which tickets; the subjects are for the e-mail alone."""
    language = whose.language
    subjects = {event.context["number"]: " ".join(event.context["subject"].split()) for event in events}
    numbers = [jalali.digits(number, language) for number in subjects]
    return {
        "count": len(events),
        "numbers": COMMA[language].join(numbers[:NAMED]),
        "more": len(numbers[NAMED:]),
        "lines": "\n".join(f"{n}: {subject}" for n, subject in zip(numbers, subjects.values(), strict=True)),
        "url": settings.SITE_URL + reverse("tickets"),
    }
