from django.db import migrations, models


class Migration(migrations.Migration):
    """What is in the rollups so far was promised nothing. The column's constant default writes no row."""

    dependencies = [("insights", "0001_initial"), ("responses", "0006_incentivised")]

    operations = [
        migrations.AddField(
            model_name="rollup",
            name="is_incentivised",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
