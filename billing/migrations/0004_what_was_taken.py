from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("billing", "0003_gateways_refunds_and_credit")]

    operations = [
        # Until now a payment was paid only when the bank had confirmed exactly our amount.
        migrations.RunSQL(
            "UPDATE billing_payment SET taken = amount WHERE status = 'paid'",
            migrations.RunSQL.noop,
        ),
    ]
