from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_customer")]

    operations = [
        migrations.AddField(
            "customer", "landline_bi", models.UUIDField(blank=True, db_index=True, editable=False, null=True)
        ),
        migrations.AddField(
            "customer", "surname_tag", models.SmallIntegerField(blank=True, db_index=True, editable=False, null=True)
        ),
    ]
