from django.db import migrations

import apps.common.fields
import apps.embed.models
from apps.common.sealed_rows import Column, sealing


class Migration(migrations.Migration):
    """Identity secrets are encrypted where they are stored."""

    dependencies = [("embed", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="embedsecret",
            name="secret",
            field=apps.common.fields.SealedField(
                default=apps.embed.models.new_secret, editable=False, purpose="embed.embedsecret.secret"
            ),
        ),
        migrations.RunPython(*sealing(Column("embed_embedsecret", "secret", "embed.embedsecret.secret")), elidable=False),
    ]
