from django.db import migrations

from accounts.models import Customer


def fill(apps, schema_editor):
    """Historical models know no companions; the tags are those that the model of today makes."""
    tag_of = {source: Customer._meta.get_field(name) for source, name in {"landline": "landline_bi", "surname": "surname_tag"}.items()}
    for customer in apps.get_model("accounts", "Customer").objects.only("pk", *tag_of).iterator():
        changed = {field.name: field.tags(getattr(customer, source)) for source, field in tag_of.items()}
        rows = apps.get_model("accounts", "Customer").objects.filter(pk=customer.pk)
        rows.update(**{name: tags[0] for name, tags in changed.items() if tags})


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_columns_to_find_by")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
