"""What an operator types of incidents and maintenance, and what is printed back."""

import datetime as dt
import json
from argparse import ArgumentTypeError
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone, translation
from django.utils.dateparse import parse_datetime

from notifications.models import Affected, Broadcast, Component, Incident, Maintenance


def add_common(parser: CommandParser) -> None:
    parser.add_argument("--by", required=True, metavar="STAFF", help="reference or e-mail of the member of staff")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def add_words(parser: CommandParser, *, required: bool = False) -> None:
    what = "for the public status page" + ("" if required else "; both languages or neither")
    parser.add_argument("--text-fa", default="", required=required, metavar="TEXT", help=f"words in Persian, {what}")
    parser.add_argument("--text-en", default="", required=required, metavar="TEXT", help=f"words in English, {what}")


def add_components(parser: CommandParser, name: str = "--component", *, required: bool = True) -> None:
    parser.add_argument(
        name, action="append", default=[], required=required, metavar="SLUG", help="what it touches; may be repeated"
    )


def moment(text: str) -> dt.datetime:
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None:
        raise ArgumentTypeError("a moment is written 2026-11-28T02:00, Tehran time unless it names its offset")
    return at if timezone.is_aware(at) else timezone.make_aware(at)


def staff(name: str) -> Any:
    people = get_user_model().objects.filter(is_staff=True, is_active=True)
    found = people.filter(**{"email" if "@" in name else "ref": name}).first()
    if found is None:
        raise CommandError("--by names no active member of staff")
    return found


def components(slugs: list[str]) -> list[Component]:
    found = list(Component.objects.filter(slug__in=slugs))
    if unknown := set(slugs) - {component.slug for component in found}:
        known = ", ".join(Component.objects.values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"no component {', '.join(sorted(unknown))}; known are: {known}")
    return found


def words(options: dict[str, Any]) -> dict[str, str]:
    if bool(options["text_fa"]) != bool(options["text_en"]):
        raise CommandError("--text-fa and --text-en come together or not at all")
    return {"text_fa": options["text_fa"], "text_en": options["text_en"]}


def answer(command: BaseCommand, trouble: Incident | Maintenance, *, changed: bool, as_json: bool) -> None:
    trouble.refresh_from_db()
    waiting = Broadcast.objects.filter(source=trouble.source, status=Broadcast.Status.READY).count()
    affected = Affected.objects.of(trouble).count()
    if as_json:
        found = {"ref": trouble.ref, "status": trouble.status, "changed": changed, "url": trouble.url}
        command.stdout.write(json.dumps({**found, "affected": affected, "waiting_for_approval": waiting}))
        return
    with translation.override("en"):
        command.stdout.write(f"{trouble.ref}  {trouble.title}: {trouble.status}{'' if changed else ' (as before)'}")
    command.stdout.write(f"{trouble.url}\n{affected} customers are affected")
    if waiting:
        command.stdout.write("their notice waits for a second person to approve it, in the staff screens")
