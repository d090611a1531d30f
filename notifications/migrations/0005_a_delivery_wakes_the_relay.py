"""Whoever writes deliveries down wakes the relay with its commit: no writer can forget it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("notifications", "0004_one_delivery_a_reader")]

    operations = [
        migrations.RunSQL(
            sql="""
            CREATE FUNCTION notifications_delivery_wakes() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN
                PERFORM pg_notify('outbox', lane) FROM (SELECT DISTINCT lane FROM fresh) AS lanes;
                RETURN NULL;
            END $$;
            CREATE TRIGGER notifications_delivery_wakes AFTER INSERT ON notifications_delivery
            REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION notifications_delivery_wakes();
            """,
            reverse_sql="""
            DROP TRIGGER notifications_delivery_wakes ON notifications_delivery;
            DROP FUNCTION notifications_delivery_wakes();
            """,
        ),
    ]
