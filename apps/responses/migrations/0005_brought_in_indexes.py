from django.db import migrations, models

from apps.common.operations import AddIndexBeside, AddUniqueBeside


class Migration(migrations.Migration):
    """Indexes of a large table, beside the running work."""

    atomic = False

    dependencies = [
        ("responses", "0004_brought_in"),
    ]

    operations = [
        AddIndexBeside(
            model_name="response",
            index=models.Index(fields=["updated_at", "id"], name="response_by_change"),
        ),
        AddUniqueBeside(
            model_name="response",
            constraint=models.UniqueConstraint(
                condition=models.Q(("external_id__isnull", False)),
                fields=("source", "external_id"),
                name="response_once_per_source",
            ),
        ),
    ]
