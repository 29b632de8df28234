from django.db import migrations

import apps.common.fields
import apps.integrations.models
import apps.integrations.signing
from apps.common.sealed_rows import Column, sealing


class Migration(migrations.Migration):
    """Signing secrets are encrypted where they are stored."""

    dependencies = [("integrations", "0003_suspected_responses")]

    operations = [
        migrations.AlterField(
            model_name="endpoint",
            name="secret",
            field=apps.common.fields.SealedField(
                default=apps.integrations.signing.new_secret,
                help_text="The receiver checks with it that a request comes from here. Keep it secret; replace it if it leaks.",
                max_length=120,
                purpose="integrations.endpoint.secret",
                validators=[apps.integrations.models.validate_webhook_secret],
                verbose_name="signing secret",
            ),
        ),
        migrations.RunPython(
            *sealing(Column("integrations_endpoint", "secret", "integrations.endpoint.secret")), elidable=False
        ),
    ]
