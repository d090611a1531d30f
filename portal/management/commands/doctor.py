"""One look at everything that the portal stands on."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from portal.rooms import modules


class Command(BaseCommand):
    help = (
        "Check database, keys, broker, workers, storage, mail, SMS, banks and the outbox; exit non-zero if one is sick."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        found = []
        for module in modules("health"):
            for name, check in getattr(module, "CHECKS", {}).items():
                try:
                    found.append({"check": name, "well": True, "says": check()})
                except Exception as error:  # whatever goes wrong is the finding
                    found.append({"check": name, "well": False, "says": str(error) or type(error).__name__})
        sick = [row["check"] for row in found if not row["well"]]
        if options["json"]:
            self.stdout.write(json.dumps({"well": not sick, "checks": found}, ensure_ascii=False))
        else:
            for row in found:
                self.stdout.write(f"{'well' if row['well'] else 'SICK'}  {row['check']:<12} {row['says']}")
        if sick:
            raise SystemExit(1)
