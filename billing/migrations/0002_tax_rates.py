"""Value added tax of Iran by the day it came into force: 9 % until the year 1402, 10 % from 1403."""

from datetime import date

from django.db import migrations

RATES = [(date(2008, 9, 22), 900), (date(2024, 3, 20), 1000)]


def fill(apps, schema_editor):
    rates = apps.get_model("billing", "TaxRate").objects
    for valid_from, hundredths in RATES:
        rates.get_or_create(valid_from=valid_from, defaults={"hundredths": hundredths})


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_orders_invoices_payments")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
