from django.db import migrations, models

from portal.sealed.keys import box, index_keys
from portal.sealed.sentinel import WORDS, WrongKeys


def check(apps, schema_editor):
    """What the one sentinel of before proved is proved once more, before each key gets its own."""
    import hmac

    for old in apps.get_model("portal", "Sentinel").objects.all():
        try:
            opens = box("field").decrypt(old.token.encode()) == WORDS
        except Exception:
            opens = False
        tags = [hmac.digest(key, WORDS, "sha256")[:16] for key in index_keys("sentinel")]
        if not opens or old.tag.bytes not in tags:
            raise WrongKeys("the keys are not those that this database was sealed with; nothing was changed")


class Migration(migrations.Migration):
    dependencies = [("portal", "0001_sentinel_and_cache")]

    operations = [
        migrations.RunPython(check, migrations.RunPython.noop),
        migrations.DeleteModel("Sentinel"),
        migrations.CreateModel(
            name="Sentinel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("setting", models.CharField(max_length=20)),
                ("kid", models.CharField(max_length=64)),
                ("fingerprint", models.UUIDField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("setting", "kid"), name="portal_sentinel_one_a_key"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Turned",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kid", models.CharField(max_length=64)),
                ("table", models.CharField(max_length=80)),
                ("last_pk", models.CharField(max_length=80)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("kid", "table"), name="portal_turned_one_a_table"),
                ],
            },
        ),
    ]
