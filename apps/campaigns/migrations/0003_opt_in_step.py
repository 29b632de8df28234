from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0002_contact_segment")]

    operations = [
        migrations.AlterField(
            model_name="step",
            name="kind",
            field=models.CharField(choices=[("email", "e-mail"), ("case", "case"), ("opt_in", "request for consent")], default="email", max_length=10, verbose_name="kind"),
        ),
    ]
