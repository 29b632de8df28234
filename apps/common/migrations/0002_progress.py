from django.db import migrations, models


class Migration(migrations.Migration):
    """A table without a write-ahead log: quick, and empty after a crash, which says that it is not to be trusted."""

    dependencies = [("common", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Progress",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("begun", models.PositiveSmallIntegerField(default=0)),
                ("answered", models.PositiveSmallIntegerField(default=0)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL("ALTER TABLE common_progress SET UNLOGGED", migrations.RunSQL.noop),
        # Its rows are changed thousands of times and live for seconds.
        migrations.RunSQL("ALTER TABLE common_progress SET (fillfactor = 20)", migrations.RunSQL.noop),
    ]
