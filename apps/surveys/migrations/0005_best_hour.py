from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("surveys", "0004_reminders"),
    ]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="hour_arm",
            field=models.CharField(
                blank=True,
                choices=[("learned", "learnt hour"), ("control", "usual time, for comparison")],
                db_default="",
                default="",
                editable=False,
                max_length=8,
                verbose_name="hour of sending",
            ),
        ),
    ]
