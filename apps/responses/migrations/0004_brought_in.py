from django.db import migrations, models


class Migration(migrations.Migration):
    """Responses that were taken elsewhere: what they are called there, and their tags."""

    dependencies = [
        ("responses", "0003_follow_up_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="response",
            name="external_id",
            field=models.CharField(max_length=200, null=True, verbose_name="external id"),
        ),
        migrations.AddField(
            model_name="response",
            name="source",
            field=models.CharField(blank=True, db_default="", default="", max_length=60, verbose_name="source"),
        ),
        migrations.AddField(
            model_name="response",
            name="tags",
            field=models.JSONField(blank=True, db_default=[], default=list, verbose_name="tags"),
        ),
        migrations.AlterField(
            model_name="response",
            name="channel",
            field=models.CharField(
                choices=[
                    ("email", "e-mail"),
                    ("link", "public link"),
                    ("embed", "embedded in a page"),
                    ("kiosk", "kiosk"),
                    ("api", "API"),
                    ("import", "imported"),
                ],
                default="email",
                max_length=10,
                verbose_name="channel",
            ),
        ),
    ]
