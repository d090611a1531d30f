from django.db import migrations


class Migration(migrations.Migration):
    """A sealed row is 2 KB, where PostgreSQL begins to move values out of the row, and fills a quarter of a page. Values
    stay in; and each page keeps room for a row, so that a sign-in or a turned key writes no index anew (HOT update).
    """

    dependencies = [("accounts", "0009_companies")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE accounts_customer SET (toast_tuple_target = 8160, fillfactor = 70)",
            "ALTER TABLE accounts_customer RESET (toast_tuple_target, fillfactor)",
        ),
    ]
