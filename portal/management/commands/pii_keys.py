"""`manage.py pii_keys`: which keys seal what, and turning them while the portal runs."""

import json
import sys
from collections import Counter
from typing import Any

import click
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.sealed import rotation
from portal.sealed.keys import index_ring, ring
from portal.sealed.pipeline import Batches

VERBS = ("generate", "status", "rotate", "reindex", "verify", "retire")


class Command(BaseCommand):
    help = (
        "generate: print a new key. status: how many values each key seals. rotate: seal everything under the newest "
        "key; a stopped run goes on where it was. reindex: blind indexes under the newest index key. verify: fail "
        "unless all is under the newest keys and in its place. retire KEY: let the portal start without an older key, "
        "unless values need it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=VERBS)
        parser.add_argument("key", nargs="?", help="the id of a key, for retire")
        parser.add_argument("--jobs", type=int, default=rotation.cores(), help="processes (default: one a core)")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, verb: str, key: str | None, **options: Any) -> None:
        self.jobs = max(1, options["jobs"])
        try:
            said = self.retire(key) if verb == "retire" else getattr(self, verb)()
        except (rotation.Busy, rotation.Spoilt) as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps(said))
            return
        for name, value in said.items():
            if isinstance(value, dict):
                value = ", ".join(f"{count} under {kid}" for kid, count in value.items())
            self.stdout.write(f"{name:<44} {', '.join(value) if isinstance(value, list) else value}")

    def shown(self, table: str, rows: int, batches: Batches) -> Batches:
        """A bar with time left on a terminal, a line a table elsewhere."""
        if not sys.stderr.isatty():
            self.stderr.write(f"{table}: {rows} rows")
            yield from batches
            return
        with click.progressbar(length=rows, label=f"{table:<32}", file=sys.stderr, show_pos=True) as bar:
            for batch in batches:
                bar.update(batch[0].rows)
                yield batch

    # --- verbs ---------------------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        keys: dict[str, Any] = {r.setting: [kid for kid, _ in r.masters] for r in (ring(), index_ring())}
        for found in rotation.census(self.shown, self.jobs):
            keys |= {name: dict(count) for name, count in found.counts.items() if count}
        return keys

    def rotate(self) -> dict[str, Any]:
        return {"sealed anew": rotation.rotate(self.shown, self.jobs)}

    def reindex(self) -> dict[str, Any]:
        found = rotation.census(self.shown, self.jobs, mend=True)
        return {"indexes mended": sum(each.drifted for each in found)}

    def verify(self) -> dict[str, Any]:
        found = rotation.census(self.shown, self.jobs)
        count = sum((part for each in found for part in each.counts.values()), Counter())
        newest = ring().masters[0][0]
        said = {
            "values": count.total(),
            "under older keys": count.total() - count[newest] - count["bad"] - count["moved"],
            "opened by no key": count["bad"],
            "sealed for another place": count["moved"],
            "wrong indexes": sum(each.drifted for each in found),
        }
        if any(value for name, value in said.items() if name != "values"):
            raise CommandError(json.dumps(said))
        return said

    def retire(self, key: str | None) -> dict[str, Any]:
        older = {kid: r for r in (index_ring(), ring()) for kid, _ in r.masters[1:]}
        if key is None or key not in older:
            names = ", ".join(sorted(older)) or "there is none"
            raise CommandError(f"name an older key of PII_KEYS or PII_INDEX_KEYS: {names}")
        setting, verb = older[key].setting, "rotate" if older[key] == ring() else "reindex"
        need = rotation.retire if older[key] == ring() else rotation.retire_index
        if needed := need(key, self.shown, self.jobs):
            raise CommandError(
                f"{needed} values may still need {key}: run `pii_keys {verb}` first; nothing was changed"
            )
        words = f"needed by nothing here; take it out of {setting} once all processes run with another key first"
        return {key: f"{words}, and no backup needs it"}
