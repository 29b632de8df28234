from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations, models

from apps.common.operations import AddIndexBeside


class Migration(migrations.Migration):
    # Beside the running work: these tables are large.
    atomic = False

    dependencies = [("contacts", "0004_consent")]

    operations = [
        ValidateConstraint(model_name="contact", name="contact_phone_international"),
        AddIndexBeside(
            model_name="legalbasis",
            index=models.Index(condition=models.Q(("opt_in__isnull", False)), fields=["opt_in"], name="legal_basis_opt_in"),
        ),
    ]
