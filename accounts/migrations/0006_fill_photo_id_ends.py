import datetime as dt

from django.conf import settings
from django.db import migrations


def fill(apps, schema_editor):
    approved = apps.get_model("accounts", "PhotoId").objects.filter(status="approved", expires_on=None)
    for photo in approved.only("pk", "reviewed_at", "submitted_at"):
        day = (photo.reviewed_at or photo.submitted_at).date() + dt.timedelta(days=settings.PHOTO_ID_VALID_DAYS)
        approved.filter(pk=photo.pk).update(expires_on=day)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_photo_id_ends")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
