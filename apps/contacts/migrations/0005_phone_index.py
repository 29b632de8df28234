from django.db import migrations, models

from apps.common.operations import AddIndexBeside


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("contacts", "0004_consent_indexes"),
    ]

    operations = [
        AddIndexBeside(
            model_name="contact",
            index=models.Index(condition=~models.Q(phone=""), fields=["phone"], name="contact_by_phone"),
        ),
    ]
