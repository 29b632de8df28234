import apps.campaigns.models.campaigns
import apps.common.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0004_mail_templates"),
        ("contacts", "0005_phone_index"),
        ("messaging", "0008_fewer_indexes"),
        ("responses", "0005_brought_in_indexes"),
        ("surveys", "0007_mail_templates"),
        ("touchpoints", "0003_hooks"),
        ("triggers", "0005_delighted"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CampaignVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                ("document", models.JSONField(verbose_name="steps")),
                ("published_at", models.DateTimeField(verbose_name="published")),
                ("campaign", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="campaigns.campaign", verbose_name="campaign")),
                ("published_by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL, verbose_name="published by")),
            ],
            options={
                "verbose_name": "version of a campaign",
                "verbose_name_plural": "versions of campaigns",
                "ordering": ["-number"],
                "constraints": [models.UniqueConstraint(fields=("campaign", "number"), name="campaign_version_number")],
            },
        ),
        migrations.AddField("campaign", "entry", models.CharField(choices=[("response", "with each response that fits"), ("by_hand", "only when somebody starts it for responses there are")], db_default="response", default="response", max_length=10, verbose_name="starts")),
        migrations.AlterField("campaign", "segment", models.CharField(blank=True, choices=[("", "everybody"), ("promoter", "promoters"), ("passive", "passives"), ("detractor", "detractors")], default="", max_length=10, verbose_name="segment")),
        migrations.AlterField("campaign", "touchpoint", models.ForeignKey(blank=True, help_text="Empty: all.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name="campaigns", to="touchpoints.touchpoint", verbose_name="touchpoint")),
        migrations.AddField("campaign", "condition", models.JSONField(blank=True, db_default={}, default=dict, help_text="Empty: whatever was answered.", verbose_name="and only if")),
        migrations.AddField("campaign", "priority", models.SmallIntegerField(db_default=0, default=0, help_text="A response enters one campaign: the one of the highest priority, then the most specific one.", verbose_name="priority")),
        migrations.AddField("campaign", "stop_on_response", models.BooleanField(db_default=True, default=True, verbose_name="a new response of the contact ends it")),
        migrations.AddField("campaign", "pause_while_case", models.BooleanField(db_default=False, default=True, help_text="Steps that are marked so go out nevertheless, e.g. the apology.", verbose_name="rests while the contact has an open case")),
        migrations.AddField("campaign", "holdout_percent", models.PositiveSmallIntegerField(db_default=0, default=0, help_text="Percent of contacts who get nothing, so that the effect can be measured. At most 50.", verbose_name="share left out for comparison")),
        migrations.AddField("campaign", "goal", models.CharField(blank=True, choices=[("", "none"), ("answered", "the contact answers again"), ("higher", "the contact's next score is higher"), ("comment", "the contact says why"), ("event", "an event at the touchpoint below"), ("redeemed", "the voucher is redeemed")], db_default="", default="", max_length=10, verbose_name="goal")),
        migrations.AddField("campaign", "goal_touchpoint", models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="touchpoints.touchpoint", verbose_name="touchpoint of the goal")),
        migrations.AddField("campaign", "goal_days", models.PositiveSmallIntegerField(db_default=30, default=30, help_text="1 to 365, counted from the enrolment.", verbose_name="days for the goal")),
        migrations.AddField("campaign", "draft", models.JSONField(db_default={"steps": []}, default=apps.campaigns.models.campaigns.no_steps, verbose_name="steps")),
        migrations.AddField("campaign", "current_version", models.ForeignKey(blank=True, editable=False, help_text="Empty: never published, so that nothing is done.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="campaigns.campaignversion", verbose_name="version")),
        migrations.AddConstraint("campaign", models.CheckConstraint(condition=models.Q(("holdout_percent__lte", 50)), name="campaign_holdout_at_most_half", violation_error_message="At most half of the contacts can be left out.")),
        migrations.AddConstraint("campaign", models.CheckConstraint(condition=models.Q(("goal_days__gte", 1), ("goal_days__lte", 365)), name="campaign_goal_days", violation_error_message="Give 1 to 365 days for the goal.")),
        migrations.AddConstraint("campaign", models.CheckConstraint(condition=models.Q(models.Q(("goal", "event"), _negated=True), ("goal_touchpoint__isnull", False), _connector="OR"), name="campaign_goal_event_has_touchpoint", violation_error_message="Say at which touchpoint the event of the goal happens.")),
        migrations.CreateModel(
            name="Launch",
            fields=[
                ("id", models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("criteria", models.JSONField(default=dict, verbose_name="responses")),
                ("until", models.DateTimeField(verbose_name="answered until")),
                ("reached", models.UUIDField(editable=False, null=True)),
                ("total", models.PositiveIntegerField(default=0, verbose_name="responses")),
                ("seen", models.PositiveIntegerField(default=0, verbose_name="looked at")),
                ("enrolled", models.PositiveIntegerField(default=0, verbose_name="enrolled")),
                ("status", models.CharField(choices=[("running", "running"), ("done", "done"), ("cancelled", "cancelled"), ("failed", "failed")], default="running", max_length=10, verbose_name="status")),
                ("error", models.CharField(blank=True, max_length=500, verbose_name="error")),
                ("created_at", models.DateTimeField(verbose_name="started")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                ("by", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL, verbose_name="started by")),
                ("campaign", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="launches", to="campaigns.campaign", verbose_name="campaign")),
                ("version", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="campaigns.campaignversion", verbose_name="version")),
            ],
            options={
                "verbose_name": "start by hand",
                "verbose_name_plural": "starts by hand",
                "indexes": [models.Index(condition=models.Q(("status", "running")), fields=["created_at"], name="launch_running")],
            },
        ),
        migrations.AddField("enrolment", "version", models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="enrolments", to="campaigns.campaignversion", verbose_name="version")),
        migrations.AddField("enrolment", "contact", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="enrolments", to="contacts.contact", verbose_name="contact")),
        migrations.AddField("enrolment", "launch", models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="enrolments", to="campaigns.launch", verbose_name="started by hand")),
        migrations.AddField("enrolment", "arm", models.CharField(choices=[("treated", "followed up"), ("holdout", "left out for comparison")], db_default="treated", default="treated", max_length=8, verbose_name="part")),
        migrations.AddField("enrolment", "state", models.CharField(choices=[("running", "running"), ("done", "done"), ("stopped", "stopped"), ("failed", "failed")], db_default="running", default="running", max_length=8, verbose_name="state")),
        migrations.AddField("enrolment", "end_reason", models.CharField(blank=True, db_default="", default="", max_length=40, verbose_name="because")),
        migrations.AddField("enrolment", "round", models.PositiveSmallIntegerField(db_default=1, default=1, verbose_name="round")),
        migrations.AddField("enrolment", "ended_at", models.DateTimeField(null=True, verbose_name="ended")),
        migrations.AddField("steprun", "step_key", models.CharField(default="", max_length=40, verbose_name="step")),
        migrations.AddField("steprun", "kind", models.CharField(default="", max_length=10, verbose_name="kind")),
        migrations.AddField("steprun", "position", models.PositiveSmallIntegerField(db_default=1, default=1, verbose_name="position")),
        migrations.AddField("steprun", "planned_at", models.DateTimeField(null=True, verbose_name="planned")),
        migrations.AddField("steprun", "attempts", models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="attempts")),
        migrations.AddField("steprun", "last_error", models.CharField(blank=True, db_default="", default="", max_length=500, verbose_name="last error")),
        migrations.AddField("steprun", "result", models.JSONField(db_default={}, default=dict)),
    ]
