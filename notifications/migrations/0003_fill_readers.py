from django.db import migrations


class Migration(migrations.Migration):
    """Until now every message went to the customer's own addresses."""

    dependencies = [("notifications", "0002_delivery_has_a_reader")]

    operations = [
        migrations.RunSQL(
            "UPDATE notifications_delivery d SET reader_id = e.customer_id"
            " FROM notifications_event e WHERE e.id = d.event_id AND d.reader_id IS NULL",
            migrations.RunSQL.noop,
        ),
    ]
