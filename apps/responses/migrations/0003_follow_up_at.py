from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations, models

from apps.common.operations import AddIndexBeside

# Answers that wait for follow-up while this runs keep their turn.
KEEP_WAITING = "UPDATE responses_response SET follow_up_at = answered_at WHERE follow_up = 'pending'"


class Migration(migrations.Migration):
    """Indexes and checks of large tables, beside the running work."""

    atomic = False

    dependencies = [
        ("responses", "0002_further_answers"),
    ]

    operations = [
        migrations.RunSQL(KEEP_WAITING, migrations.RunSQL.noop),
        AddIndexBeside(
            model_name="response",
            index=models.Index(
                fields=["follow_up_at"],
                condition=models.Q(follow_up="pending", is_suspected=False),
                name="response_follow_up_at",
            ),
        ),
        AddIndexBeside(
            model_name="response",
            index=models.Index(
                fields=["-answered_at"], condition=models.Q(is_suspected=True), name="response_suspected"
            ),
        ),
        migrations.RemoveIndex(model_name="response", name="response_follow_up_due"),
        ValidateConstraint(model_name="answer", name="answer_value_0_to_10"),
        ValidateConstraint(model_name="answer", name="answer_says_something"),
    ]
