from django.db import migrations, models
from django.db.models.functions import Least

from apps.common.operations import AddIndexBeside


class Migration(migrations.Migration):
    """Open cases by what has to happen next: the list's own order."""

    atomic = False

    dependencies = [("cases", "0006_mailboxes")]

    operations = [
        AddIndexBeside(
            model_name="case",
            index=models.Index(
                Least(
                    models.Case(models.When(first_contact_at__isnull=True, then=models.F("contact_due_at"))),
                    "due_at",
                ),
                "id",
                condition=models.Q(closed_at__isnull=True, merged_into__isnull=True),
                name="case_next_due",
            ),
        ),
    ]
