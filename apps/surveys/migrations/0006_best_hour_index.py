from apps.common.operations import AddIndexBeside
from django.db import migrations, models


class Migration(migrations.Migration):
    # Built beside the running work: this table is large.
    atomic = False

    dependencies = [("surveys", "0005_best_hour")]

    operations = [
        AddIndexBeside(
            model_name="invitation",
            index=models.Index(
                condition=models.Q(("hour_arm", ""), _negated=True), fields=["send_at"], name="invitation_hour_arm"
            ),
        ),
    ]
