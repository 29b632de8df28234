import django.contrib.postgres.fields
from django.db import migrations, models

import apps.integrations.models.keys


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0011_cases_scope"),
    ]

    operations = [
        migrations.AlterField(
            model_name="apikey",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("events:write", "send events"),
                        ("read", "read everything"),
                        ("contacts:write", "write contacts and companies"),
                        ("suppressions:write", "block and unblock addresses"),
                        ("responses:write", "write responses"),
                        ("cases:write", "open and change cases"),
                        ("vouchers:write", "redeem vouchers"),
                        ("insights:write", "note annotations, set targets, keep improvement actions"),
                        ("setup:write", "change touchpoints, segments, rules and webhooks"),
                    ],
                    max_length=40,
                ),
                default=apps.integrations.models.keys.default_scopes,
                size=None,
                verbose_name="scopes",
            ),
        ),
    ]
