from django.db import migrations, models

from apps.common.operations import AddIndexBeside


class Migration(migrations.Migration):
    """How far words are deleted, how far backlogs are, and an index of what went wrong."""

    # Beside the running work: the outbox is large.
    atomic = False

    dependencies = [("messaging", "0004_consent")]

    operations = [
        # First: should it be interrupted, the migration may be run again.
        AddIndexBeside(
            model_name="outgoingemail",
            index=models.Index(
                fields=["status", "-queued_at", "-id"],
                name="email_in_trouble",
                condition=models.Q(status__in=["bounced", "complained", "unknown", "failed", "revoked"]),
            ),
        ),
        migrations.AddField(
            model_name="mailpolicy",
            name="bodies_deleted_until",
            field=models.DateTimeField(editable=False, null=True, verbose_name="words deleted up to"),
        ),
        migrations.AddField(
            model_name="mailpolicy",
            name="late_bodies_deleted_until",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.CreateModel(
            name="Backlog",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stream", models.CharField(blank=True, max_length=60, unique=True, verbose_name="belongs to")),
                ("began_at", models.DateTimeField(verbose_name="since")),
                ("trail", models.JSONField(default=list)),
            ],
            options={"verbose_name": "backlog", "verbose_name_plural": "backlogs"},
        ),
    ]
