from django.db import migrations, models

from apps.common.operations import AddUniqueBeside


class Migration(migrations.Migration):
    """A cell is also of a promise: the new constraint is built beside the running work, then the old one goes."""

    atomic = False

    dependencies = [("insights", "0002_incentivised")]

    operations = [
        AddUniqueBeside(
            model_name="rollup",
            constraint=models.UniqueConstraint(
                fields=("day", "survey", "touchpoint", "is_incentivised", "score"),
                name="rollup_cell_by_promise",
                nulls_distinct=False,
            ),
        ),
        migrations.RemoveConstraint(model_name="rollup", name="rollup_cell"),
    ]
