from django.db import migrations, models


class Migration(migrations.Migration):
    """When a survey page was first seen. Of those before nobody knows; no row is touched."""

    dependencies = [("surveys", "0008_incentive")]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="opened_on",
            field=models.DateField(
                editable=False,
                help_text="The first day its survey page was seen by a human.",
                null=True,
                verbose_name="opened",
            ),
        ),
    ]
