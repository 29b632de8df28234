from django.db import migrations

import apps.common.fields


class Migration(migrations.Migration):
    """Receivers that were built for Delighted's webhooks."""

    dependencies = [
        ("integrations", "0007_webhook_log_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="endpoint",
            name="delighted_key",
            field=apps.common.fields.SealedField(
                blank=True,
                db_default="",
                default="",
                help_text="Only for receivers that were built for Delighted's webhooks: the API key they check signatures with. Messages then have Delighted's form. Otherwise leave it empty.",
                max_length=200,
                purpose="integrations.endpoint.delighted_key",
                verbose_name="API key of a receiver built for Delighted",
            ),
        ),
    ]
