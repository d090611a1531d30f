"""`manage.py reconcile_payments`: finish what callbacks lost, and say what waits for a person."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from billing import flows
from billing.models import Payment


class Command(BaseCommand):
    help = (
        "Asks the banks about every payment that is due. Exits with 1 when a payment waits for a person: no answer "
        "after its deadline, or an answer that does not fit."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the counts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        looked_at = flows.reconcile()
        stuck = [str(payment.order_number) for payment in Payment.objects.stuck()]
        if options["json"]:
            self.stdout.write(json.dumps({"looked_at": looked_at, "stuck": stuck}))
        else:
            self.stdout.write(f"looked at {sum(looked_at.values())} payments")
            for status, count in sorted(looked_at.items()):
                self.stdout.write(f"  {status}: {count}")
            if stuck:
                self.stdout.write(f"waiting for a person, by order number at the bank: {', '.join(stuck)}")
        if stuck:
            sys.exit(1)
