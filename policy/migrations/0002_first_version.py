"""Version 1 of the policy, in both languages."""

from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

from django.db import migrations

TEXTS = Path(__file__).resolve().parent.parent / "text"
# A file that was touched later must not become another version 1 on a new machine.
FIRST = {
    "en": ("Privacy Policy", "84e94e129d1c428790b2dcacdfb5c372cb85c3d9022cbf12629076e2fca142e3"),
    "fa": ("سیاست حفظ حریم خصوصی", "46b5351380dace70f8957e863030099011f965a61afef149c4b64568d48a8326"),
}


def publish(apps, schema_editor):
    Version = apps.get_model("policy", "Version")
    for locale, (title, expected) in FIRST.items():
        body = (TEXTS / f"1.{locale}.md").read_text(encoding="utf-8")
        if (found := sha256(body.encode()).hexdigest()) != expected:
            raise ValueError(f"policy/text/1.{locale}.md is not the text that was published: {found}")
        Version.objects.create(
            number=1,
            locale=locale,
            title=title,
            body=body,
            sha256=found,
            published_at=datetime(2026, 11, 1, tzinfo=UTC),
            effective_from=date(2026, 11, 1),
        )


class Migration(migrations.Migration):
    dependencies = [("policy", "0001_versions")]
    # Going back leaves the rows: the table refuses to delete them, and 0001 drops it.
    operations = [migrations.RunPython(publish, migrations.RunPython.noop)]
