from django.db import migrations, models

from apps.common.operations import AddIndexBeside


class Migration(migrations.Migration):
    """The newest words, also where few people say any."""

    atomic = False

    dependencies = [("responses", "0006_incentivised")]

    operations = [
        AddIndexBeside(
            model_name="response",
            index=models.Index(
                condition=models.Q(("comment", ""), _negated=True),
                fields=["-answered_at", "-id"],
                name="response_with_comment",
            ),
        ),
    ]
