import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0002_delivery"), ("surveys", "0006_best_hour_index")]

    operations = [
        migrations.AddField(
            model_name="survey",
            name="invitation_template",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: the default template for invitations, or the built-in one.",
                limit_choices_to={"purpose": "invitation"},
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="surveys",
                to="messaging.mailtemplate",
                verbose_name="template of the invitation",
            ),
        ),
    ]
