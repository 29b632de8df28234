from django.db import migrations, models

from apps.common.operations import AddIndexBeside


class Migration(migrations.Migration):
    # Built beside the running work: this table may be large.
    atomic = False

    dependencies = [("integrations", "0006_webhook_log")]

    operations = [
        AddIndexBeside(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("status", "pending")), fields=["endpoint", "due_at"], name="delivery_waiting"
            ),
        ),
        AddIndexBeside(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("lease_until__isnull", False)), fields=["endpoint"], name="delivery_leased"
            ),
        ),
        AddIndexBeside(
            model_name="delivery",
            index=models.Index(fields=["endpoint", "-created_at", "-id"], name="delivery_log"),
        ),
        AddIndexBeside(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("status", "failed")),
                fields=["endpoint", "-created_at", "-id"],
                name="delivery_log_failed",
            ),
        ),
        AddIndexBeside(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("replay__isnull", False)), fields=["replay"], name="delivery_replay"
            ),
        ),
        migrations.RemoveIndex(
            model_name="delivery",
            name="delivery_due",
        ),
    ]
