"""What an operator types of work that is announced before it begins."""

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from notifications import flows
from notifications.models import Maintenance
from notifications.models.trouble import ForbiddenStep
from notifications.operators import add_common, add_components, add_words, answer, components, moment, staff, words


class Command(BaseCommand):
    help = (
        "Plans a maintenance and announces it, begins, finishes, moves it or calls it off. The owners of affected "
        "services are told when a second person has approved the plan, are reminded before it begins, and hear when it "
        "begins and when it is done. Exits with 1 when it is refused, with 2 when it is written wrongly; what is so "
        "already stays and is no error."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True, metavar="plan|start|finish|move|cancel")
        plan = deeds.add_parser("plan", help="what will be done, and when")
        add_components(plan)
        add_window(plan)
        plan.add_argument("--remind-before", type=float, default=24, metavar="HOURS", help="before it begins (24)")
        add_words(plan, required=True)
        start = deeds.add_parser("start", help="it begins")
        finish = deeds.add_parser("finish", help="it is done")
        move = deeds.add_parser("move", help="it will be at another time")
        cancel = deeds.add_parser("cancel", help="it will not be")
        for deed in (start, finish, move, cancel):
            deed.add_argument("ref", metavar="REF", help="the maintenance's reference")
        add_window(move)
        for deed in (finish, move, cancel):
            add_words(deed)
        for deed in (plan, start, finish, move, cancel):
            add_common(deed)

    def handle(self, *args: Any, **options: Any) -> None:
        by = staff(options["by"])
        try:
            maintenance, changed = getattr(self, options["deed"])(options, by)
        except ForbiddenStep as refusal:
            raise CommandError(str(refusal)) from None
        answer(self, maintenance, changed=changed, as_json=options["json"])

    def plan(self, options: dict[str, Any], by: Any) -> tuple[Maintenance, bool]:
        maintenance = flows.plan_maintenance(
            components=components(options["component"]),
            about_fa=options["text_fa"],
            about_en=options["text_en"],
            remind_before=dt.timedelta(hours=options["remind_before"]),
            by=by,
            **window(options),
        )
        return maintenance, flows.announce_maintenance(maintenance=maintenance, by=by)

    def start(self, options: dict[str, Any], by: Any) -> tuple[Maintenance, bool]:
        maintenance = found(options["ref"])
        return maintenance, flows.start_maintenance(maintenance=maintenance, by=by)

    def finish(self, options: dict[str, Any], by: Any) -> tuple[Maintenance, bool]:
        maintenance = found(options["ref"])
        return maintenance, flows.finish_maintenance(maintenance=maintenance, by=by, **words(options))

    def move(self, options: dict[str, Any], by: Any) -> tuple[Maintenance, bool]:
        maintenance = found(options["ref"])
        said = words(options) | window(options)
        return maintenance, flows.reschedule_maintenance(maintenance=maintenance, by=by, **said)

    def cancel(self, options: dict[str, Any], by: Any) -> tuple[Maintenance, bool]:
        maintenance = found(options["ref"])
        return maintenance, flows.cancel_maintenance(maintenance=maintenance, by=by, **words(options))


def add_window(parser: CommandParser) -> None:
    parser.add_argument("--starts", required=True, type=moment, metavar="MOMENT", help="as 2026-11-28T02:00, Tehran")
    parser.add_argument("--ends", required=True, type=moment, metavar="MOMENT", help="as 2026-11-28T05:00, Tehran")


def window(options: dict[str, Any]) -> dict[str, Any]:
    if options["starts"] <= timezone.now():
        raise CommandError("--starts is over already")
    if options["ends"] <= options["starts"]:
        raise CommandError("--ends comes after --starts")
    return {"starts_at": options["starts"], "ends_at": options["ends"]}


def found(ref: str) -> Maintenance:
    maintenance = Maintenance.objects.filter(ref=ref).first()
    if maintenance is None:
        raise CommandError(f"no maintenance {ref}")
    return maintenance
