from django.db import migrations, models


class Migration(migrations.Migration):
    """Responses that were promised something, apart in the figures. The columns' constant default writes no row."""

    dependencies = [("responses", "0005_brought_in_indexes")]

    operations = [
        migrations.AddField(
            model_name="response",
            name="is_incentivised",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Something was promised for answering, whatever the answer.",
                verbose_name="promised an incentive",
            ),
        ),
        migrations.AddField(
            model_name="scorechange",
            name="is_incentivised",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
