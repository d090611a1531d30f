"""Translations: collect the words of the source, compile them, and check that none is missing.

gettext's own programs are not on every machine, so Babel reads and writes the catalogues.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation.template import templatize

KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
ROOMS = ("portal", "accounts", "billing", "notifications", "devices", "policy", "templates")
CALL = re.compile(r"""\b(?:n?p?gettext|_)\((?:u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*"|[^()'"])*\)""")
PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]")


def sources() -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted(p for p in (settings.BASE_DIR / room).rglob("*") if p.suffix in (".py", ".html", ".txt"))


def words(path: Path) -> Iterator[tuple[int, Any, str | None]]:
    """Line, message (a pair when it has a plural) and context of each word to translate in one file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        # Django turns a template's words into gettext calls between blanked-out text; only the calls are Python.
        text = "\n".join(" ".join(m[0] for m in CALL.finditer(line)) for line in templatize(text).split("\n"))
    for line, message, _comments, context in extract("python", io.BytesIO(text.encode()), KEYWORDS):
        yield line, message, context


def collected() -> Catalog:
    catalog = Catalog(charset="utf-8")
    for path in sources():
        for _line, message, context in words(path):
            catalog.add(message, locations=[(str(path.relative_to(settings.BASE_DIR)), 0)], context=context)
    return catalog


class Command(BaseCommand):
    help = "Collect, compile or check the translations under portal/locale."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=("collect", "compile", "check"))

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        path = settings.LOCALE_PATHS[0] / "fa" / "LC_MESSAGES" / "django.po"
        with path.open("rb") as file:
            known = read_po(file, locale="fa")
        {"collect": self.collect, "compile": self.compile, "check": self.examine}[verb](path, known)

    def collect(self, path: Path, known: Catalog) -> None:
        """Add the source's new words to the catalogue and drop those that are gone."""
        known.update(collected(), no_fuzzy_matching=True)
        known.obsolete.clear()
        with path.open("wb") as file:
            write_po(file, known, sort_output=True, no_location=True, width=120, omit_header=False)
        self.stdout.write(
            f"{len(known)} messages, {sum(1 for m in known if m.id and not translated(m))} without Persian"
        )

    def compile(self, path: Path, known: Catalog) -> None:
        """Write the .mo file that Django reads; only when it would differ."""
        out = io.BytesIO()
        write_mo(out, known)
        target = path.with_suffix(".mo")
        if not target.exists() or target.read_bytes() != out.getvalue():
            target.write_bytes(out.getvalue())
        self.stdout.write(f"{len(known)} messages compiled")

    def examine(self, path: Path, known: Catalog) -> None:
        """Fail when a word of the source has no Persian, or a placeholder got lost in it."""
        faults = []
        for message in collected():
            if not message.id:
                continue
            persian = known.get(message.id if isinstance(message.id, str) else message.id[0], message.context)
            if persian is None or not translated(persian):
                faults.append(f"no Persian: {message.id!r} ({message.locations[0][0]})")
            elif lost := placeholders(message.id) ^ placeholders(persian.string):
                faults.append(f"placeholder {', '.join(sorted(lost))}: {message.id!r}")
        for fault in faults:
            self.stderr.write(fault)
        if faults:
            raise CommandError(f"{len(faults)} faults in the Persian catalogue")
        self.stdout.write(f"{len(known)} messages, all in Persian")


def translated(message: Any) -> bool:
    return all(message.string) if isinstance(message.string, tuple | list) else bool(message.string)


def placeholders(text: Any) -> set[str]:
    return set(PLACEHOLDER.findall(" ".join(text) if isinstance(text, tuple | list) else text))
