"""manage.py deliver: one pass over the outbox; or, after a restore, none at all."""

import datetime as dt
import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from notifications import flows
from notifications.models import Delivery, Lane


def moment(text: str) -> dt.datetime:
    """A moment that means the same everywhere."""
    found = dt.datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("without a zone")
    return found


class Command(BaseCommand):
    help = "Deliver once what is due, codes first. Exits with 1 when a message had to be held for our staff."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--lane", choices=Lane.values, help="only this lane")
        parser.add_argument(
            "--hold-before",
            type=moment,
            metavar="TIME",
            help="after a restore: hold for our staff what was told before this moment (ISO 8601, zone), send nothing",
        )
        parser.add_argument("--json", action="store_true", help="print the counts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["hold_before"]:
                held = flows.hold_before(options["hold_before"])
                self.stdout.write(json.dumps({"held": held}) if options["json"] else f"held: {held}")
                return
            counts = flows.tidy() + flows.deliver_due(options["lane"])
            waiting = Delivery.objects.filter(status__in=Delivery.UNSENT).count()
        except DatabaseError as error:
            raise CommandError(f"the database does not answer ({type(error).__name__})") from None
        found = {**counts, "waiting": waiting}
        if options["json"]:
            self.stdout.write(json.dumps(found))
        else:
            self.stdout.write(" · ".join(f"{name}: {count}" for name, count in found.items()))
        if counts[Delivery.Status.PARKED.value]:
            sys.exit(1)
