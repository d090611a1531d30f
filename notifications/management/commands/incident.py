"""What an operator types when something does not work, and when it works again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from notifications import flows
from notifications.models import Incident, Severity
from notifications.models.trouble import ForbiddenStep
from notifications.operators import add_common, add_components, add_words, answer, components, moment, staff, words

STEPS = [status for status in Incident.Status.values if status != Incident.Status.RESOLVED]


class Command(BaseCommand):
    help = (
        "Opens an incident, says how it stands, and ends it. Each puts it on /status/ and tells the owners of affected "
        "services: a grave one at once, another when a second person approves. Exits with 1 when it is refused, with 2 "
        "when it is written wrongly; what is so already stays and is no error."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True, metavar="open|update|resolve")
        opening = deeds.add_parser("open", help="something does not work as it should")
        add_components(opening)
        opening.add_argument("--severity", required=True, choices=Severity.values, help="high: told at once, any hour")
        opening.add_argument("--started-at", type=moment, metavar="MOMENT", help="as 2026-11-28T02:00; default now")
        add_words(opening)
        update = deeds.add_parser("update", help="how it stands")
        update.add_argument("ref", metavar="REF", help="the incident's reference")
        update.add_argument("--status", default="", choices=STEPS, help="how far it is")
        update.add_argument("--severity", default="", choices=Severity.values, help="graver or less grave than it was")
        add_components(update, "--add-component", required=False)
        update.add_argument("--quiet", action="store_true", help="only on the page; who is affected anew is still told")
        add_words(update)
        resolve = deeds.add_parser("resolve", help="it is over")
        resolve.add_argument("ref", metavar="REF", help="the incident's reference")
        add_words(resolve)
        for deed in (opening, update, resolve):
            add_common(deed)

    def handle(self, *args: Any, **options: Any) -> None:
        by, said = staff(options["by"]), words(options)
        try:
            incident, changed = getattr(self, options["deed"])(options, by, said)
        except ForbiddenStep as refusal:
            raise CommandError(str(refusal)) from None
        answer(self, incident, changed=changed, as_json=options["json"])

    def open(self, options: dict[str, Any], by: Any, said: dict[str, Any]) -> tuple[Incident, bool]:
        incident = flows.open_incident(
            components=components(options["component"]),
            severity=options["severity"],
            started_at=options["started_at"],
            by=by,
            **said,
        )
        return incident, True

    def update(self, options: dict[str, Any], by: Any, said: dict[str, Any]) -> tuple[Incident, bool]:
        incident = found(options["ref"])
        flows.update_incident(
            incident=incident,
            by=by,
            status=options["status"],
            severity=options["severity"],
            add_components=components(options["add_component"]),
            tell=not options["quiet"],
            **said,
        )
        return incident, True

    def resolve(self, options: dict[str, Any], by: Any, said: dict[str, Any]) -> tuple[Incident, bool]:
        incident = found(options["ref"])
        return incident, flows.resolve_incident(incident=incident, by=by, **said)


def found(ref: str) -> Incident:
    incident = Incident.objects.filter(ref=ref).first()
    if incident is None:
        raise CommandError(f"no incident {ref}")
    return incident
