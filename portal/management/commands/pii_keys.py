"""`manage.py pii_keys`: which keys seal what, and turning them while the portal runs."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.sealed import rotation
from portal.sealed.keys import index_ring, ring

VERBS = ("generate", "status", "rotate", "reindex", "verify", "retire")


class Command(BaseCommand):
    help = (
        "generate: print a new key. status: how many values each key seals. rotate: seal everything under the newest "
        "key. reindex: blind indexes under the newest index key. verify: fail unless all is under the newest keys. "
        "retire KEY: whether a key may be taken out of PII_KEYS."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=VERBS)
        parser.add_argument("key", nargs="?", help="the id of a key, for retire")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, verb: str, key: str | None, **options: Any) -> None:
        said = getattr(self, verb)(key)
        if options["json"]:
            self.stdout.write(json.dumps(said))
        else:
            for name, value in said.items():
                self.stdout.write(f"{name}: {value}")

    def progress(self, line: str) -> None:
        self.stderr.write(line)

    def status(self, key: str | None = None) -> dict[str, Any]:
        keys = {r.setting: [kid for kid, _ in r.masters] for r in (ring(), index_ring())}
        return keys | {name: dict(count) for name, count in rotation.census(self.progress).items() if count}

    def rotate(self, key: str | None) -> dict[str, Any]:
        try:
            return {"sealed anew": rotation.rotate(self.progress)}
        except LookupError as error:
            raise CommandError(str(error)) from None

    def reindex(self, key: str | None) -> dict[str, Any]:
        return {"indexes mended": rotation.drifted(self.progress, mend=True)}

    def verify(self, key: str | None) -> dict[str, Any]:
        newest = ring().masters[0][0]
        counts = rotation.census(self.progress).values()
        said = {
            "values": sum(count.total() for count in counts),
            "under older keys": sum(count.total() - count[newest] - count["bad"] for count in counts),
            "opened by no key": sum(count["bad"] for count in counts),
        }
        # An index of a value that does not open cannot be told.
        said["wrong indexes"] = 0 if said["opened by no key"] else rotation.drifted(self.progress, mend=False)
        if any(value for name, value in said.items() if name != "values"):
            raise CommandError(json.dumps(said))
        return said

    def retire(self, key: str | None) -> dict[str, Any]:
        kids = [kid for kid, _ in ring().masters]
        if key not in kids[1:]:
            raise CommandError(f"name an older key of PII_KEYS: {', '.join(kids[1:]) or 'there is none'}")
        counts = rotation.census(self.progress).values()
        if needed := sum(count[key] for count in counts):
            raise CommandError(f"{needed} values are sealed under {key}: run `pii_keys rotate` first")
        return {key: "seals nothing in this database; take it out of PII_KEYS once no backup needs it"}
