from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0003_fill_readers")]

    operations = [
        migrations.AddConstraint(
            "delivery",
            models.UniqueConstraint(
                fields=("event", "channel", "reader"),
                name="notifications_delivery_one_a_reader",
                nulls_distinct=False,
            ),
        ),
        migrations.RemoveConstraint("delivery", "notifications_delivery_one_a_channel"),
    ]
