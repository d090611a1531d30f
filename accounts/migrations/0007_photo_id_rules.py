from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_fill_photo_id_ends")]

    operations = [
        migrations.RemoveConstraint("photoid", "accounts_photoid_refusal_has_reason"),
        migrations.AddConstraint(
            "photoid",
            models.CheckConstraint(
                condition=~Q(status__in=["refused", "asked_again"]) | Q(reason__isnull=False),
                name="accounts_photoid_refusal_has_reason",
            ),
        ),
        migrations.AddConstraint(
            "photoid",
            models.CheckConstraint(
                condition=Q(reviewed_by=None) | ~Q(reviewed_by=F("customer")),
                name="accounts_photoid_nobody_reviews_their_own",
            ),
        ),
        migrations.AddConstraint(
            "photoid",
            models.CheckConstraint(
                condition=~Q(status="approved") | Q(expires_on__isnull=False),
                name="accounts_photoid_approval_has_its_end",
            ),
        ),
    ]
