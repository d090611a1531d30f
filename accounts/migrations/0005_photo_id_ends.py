from django.db import migrations, models

CHOICES = [
    ("waiting", "Waiting for review"),
    ("approved", "Approved"),
    ("refused", "Refused"),
    ("expired", "Expired"),
    ("asked_again", "Asked for again"),
    ("replaced", "Replaced"),
]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_values_have_their_tags")]

    operations = [
        migrations.AddField(
            "photoid",
            "expires_on",
            models.DateField(blank=True, editable=False, null=True, verbose_name="valid until"),
        ),
        migrations.AlterField(
            "photoid",
            "status",
            models.CharField(choices=CHOICES, default="waiting", max_length=12, verbose_name="status"),
        ),
    ]
