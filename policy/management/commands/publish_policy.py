"""What an operator types to publish a version of the policy and prepare to tell everybody of it."""

import json
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from notifications.models import Broadcast
from policy import flows
from policy.models import Version, hash_of


class Command(BaseCommand):
    help = (
        "Publish a Markdown file as the next version of the privacy policy, and prepare to tell its readers: "
        "that goes out once a member of staff approves it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="Markdown in UTF-8; its “# ” line is the title")
        parser.add_argument("--locale", required=True, choices=[code for code, _name in settings.LANGUAGES])
        parser.add_argument(
            "--effective", required=True, metavar="DATE", help="YYYY-MM-DD, today or later (Gregorian calendar)"
        )
        parser.add_argument("--material", action="store_true", help="the change is material to customers")
        parser.add_argument("--summary", default="", metavar="TEXT", help="what changed, in plain words")
        parser.add_argument(
            "--resume", action="store_true", help="prepare the announcement of a text that is published already"
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, **options: Any) -> None:
        try:
            body = options["file"].read_text(encoding="utf-8-sig")
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise CommandError(f"{options['file']} is not UTF-8") from None
        try:
            effective_from = date.fromisoformat(options["effective"])
        except ValueError:
            raise CommandError("--effective is written YYYY-MM-DD") from None
        version = self.published(body, effective_from, options)
        broadcast = flows.announce(version=version)
        screen = settings.SITE_URL + reverse("admin:notifications_broadcast_change", args=[broadcast.pk])
        if options["json"]:
            result = {name: value for name, value in version.as_json().items() if name != "text"}
            told = {"customers": broadcast.customers, "broadcast": screen, "broadcast_status": broadcast.status}
            self.stdout.write(json.dumps({**result, **told}, ensure_ascii=False))
        else:
            self.stdout.write(f"version {version.number} ({version.locale})  sha256 {version.sha256}")
            self.stdout.write(f"in force from {version.effective_from}")
            self.stdout.write(f"to be announced to {broadcast.customers} customers ({broadcast.status}): {screen}")
            if broadcast.status == Broadcast.Status.READY:
                self.stdout.write("nothing goes out before a member of staff approves it there")
            self.stdout.writelines(
                f"version {version.number} is still missing in: {code}"
                for code, _name in settings.LANGUAGES
                if not Version.objects.filter(number=version.number, locale=code).exists()
            )

    def published(self, body: str, effective_from: date, options: dict[str, Any]) -> Version:
        if options["resume"]:
            version = Version.objects.filter(sha256=hash_of(flows.tidy(body))).first()
            if version is None:
                raise CommandError("this text was never published: leave --resume out")
            return version
        try:
            return flows.publish(
                body=body,
                locale=options["locale"],
                effective_from=effective_from,
                is_material=options["material"],
                summary=options["summary"],
            )
        except flows.NotPublishable as refusal:
            raise CommandError(str(refusal)) from None
