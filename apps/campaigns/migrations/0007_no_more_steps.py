import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0006_steps_become_sequences")]

    operations = [
        migrations.RemoveConstraint("steprun", "step_run_once_per_enrolment"),
        migrations.RemoveField("steprun", "step"),
        migrations.DeleteModel("Step"),
        migrations.AlterField("steprun", "step_key", models.CharField(max_length=40, verbose_name="step")),
        migrations.AlterField("steprun", "kind", models.CharField(max_length=10, verbose_name="kind")),
        migrations.AlterField("enrolment", "version", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="enrolments", to="campaigns.campaignversion", verbose_name="version")),
        migrations.AddConstraint("enrolment", models.CheckConstraint(condition=models.Q(models.Q(("ended_at__isnull", True), ("state", "running")), models.Q(models.Q(("state", "running"), _negated=True), ("ended_at__isnull", False)), _connector="OR"), name="enrolment_ended_with_time")),
        migrations.AddConstraint("steprun", models.UniqueConstraint(fields=("enrolment", "step_key"), name="step_run_once_per_enrolment")),
        migrations.AddConstraint("steprun", models.UniqueConstraint(condition=models.Q(("status", "pending")), fields=("enrolment",), name="step_run_one_at_a_time")),
        migrations.AddIndex("enrolment", models.Index(fields=["campaign", "-enrolled_at"], name="enrolment_by_campaign")),
    ]
