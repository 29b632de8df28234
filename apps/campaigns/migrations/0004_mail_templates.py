import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0003_opt_in_step"), ("messaging", "0002_delivery")]

    operations = [
        migrations.AddField(
            model_name="step",
            name="template",
            field=models.ForeignKey(blank=True, help_text="Instead of the texts below.", limit_choices_to={"purpose": "follow_up"}, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="messaging.mailtemplate", verbose_name="template"),
        ),
    ]
