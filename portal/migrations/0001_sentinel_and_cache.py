from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Sentinel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token", models.TextField()),
                ("tag", models.UUIDField()),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="portal_sentinel_is_alone")]
            },
        ),
        # The table of django.core.cache.backends.db; Django creates it by command only, and nobody remembers commands.
        migrations.RunSQL(
            sql=[
                "CREATE TABLE portal_cache (cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamptz NOT NULL)",
                "CREATE INDEX portal_cache_expires ON portal_cache (expires)",
            ],
            reverse_sql="DROP TABLE portal_cache",
        ),
    ]
