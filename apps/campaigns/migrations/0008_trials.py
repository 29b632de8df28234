import apps.common.ids
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0007_no_more_steps"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CampaignTrial",
            fields=[
                (
                    "id",
                    models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("document", models.JSONField(verbose_name="steps")),
                (
                    "days",
                    models.PositiveSmallIntegerField(
                        default=30,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(366),
                        ],
                        verbose_name="days back",
                    ),
                ),
                ("criteria", models.JSONField(null=True, verbose_name="responses")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("running", "running"),
                            ("done", "done"),
                            ("failed", "failed"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                ("total", models.PositiveIntegerField(default=0, verbose_name="responses")),
                ("done", models.PositiveIntegerField(default=0, verbose_name="responses looked at")),
                ("result", models.JSONField(null=True, verbose_name="result")),
                ("attempts", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("error", models.CharField(blank=True, max_length=500, verbose_name="error")),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("lease_until", models.DateTimeField(editable=False, null=True)),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
            ],
            options={
                "verbose_name": "trial of a campaign",
                "verbose_name_plural": "trials of campaigns",
            },
        ),
        migrations.AddField(
            model_name="enrolment",
            name="had_comment",
            field=models.BooleanField(db_default=True, default=True, editable=False),
        ),
        migrations.AddConstraint(
            model_name="launch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "running")), fields=("campaign",), name="launch_one_at_a_time"
            ),
        ),
        migrations.AddField(
            model_name="campaigntrial",
            name="campaign",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="trials",
                to="campaigns.campaign",
                verbose_name="campaign",
            ),
        ),
        migrations.AddField(
            model_name="campaigntrial",
            name="created_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="by",
            ),
        ),
        migrations.AddField(
            model_name="campaigntrial",
            name="version",
            field=models.ForeignKey(
                db_index=False,
                help_text="Empty: the draft.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="campaigns.campaignversion",
                verbose_name="version",
            ),
        ),
        migrations.AddIndex(
            model_name="campaigntrial",
            index=models.Index(
                condition=models.Q(("status", "waiting"), ("status", "running"), _connector="OR"),
                fields=["created_at"],
                name="campaign_trial_waiting",
            ),
        ),
    ]
