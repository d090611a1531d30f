from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("billing", "0004_what_was_taken")]

    operations = [
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['paid', 'unsettled']), _negated=True), models.Q(('bank_time__isnull', False), ('receipt__isnull', False), ('taken__isnull', False)), _connector='OR'), name='billing_payment_paid_has_receipt'),
        ),
        migrations.RunSQL(
            """
            CREATE FUNCTION billing_never_below_zero() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE rest bigint;
            BEGIN
                -- Two who spend the same credit at once come here one after the other.
                PERFORM pg_advisory_xact_lock(hashtextextended('billing_ledgerentry:' || NEW.customer_id, 0));
                IF NEW.invoice_id IS NULL THEN
                    SELECT sum(amount) INTO rest FROM billing_ledgerentry
                        WHERE customer_id = NEW.customer_id AND invoice_id IS NULL;
                ELSE
                    SELECT sum(amount) INTO rest FROM billing_ledgerentry WHERE invoice_id = NEW.invoice_id;
                END IF;
                IF coalesce(rest, 0) + NEW.amount < 0 THEN
                    RAISE EXCEPTION 'there is not so much money to take from' USING ERRCODE = 'check_violation';
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER billing_never_below_zero BEFORE INSERT ON billing_ledgerentry
                FOR EACH ROW WHEN (NEW.amount < 0) EXECUTE FUNCTION billing_never_below_zero();
            """,
            """
            DROP TRIGGER billing_never_below_zero ON billing_ledgerentry;
            DROP FUNCTION billing_never_below_zero;
            """,
        ),
    ]
