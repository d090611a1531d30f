from django.db import migrations, models
from django.db.models import Q


def together(value, tag):
    condition = Q(**{f"{value}__isnull": True, f"{tag}__isnull": True}) | Q(
        **{f"{value}__isnull": False, f"{tag}__isnull": False}
    )
    name = f"accounts_customer_{value}_has_its_index"
    return migrations.AddConstraint("customer", models.CheckConstraint(condition=condition, name=name))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_fill_columns_to_find_by")]

    operations = [together("landline", "landline_bi"), together("surname", "surname_tag")]
