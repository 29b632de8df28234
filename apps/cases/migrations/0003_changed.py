"""When a case was changed last: other systems follow changes in their order."""

import django.db.models.functions.datetime
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0002_closing_the_loop")]

    operations = [
        migrations.AddField(
            model_name="case",
            name="updated_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(),
                default=django.utils.timezone.now,
                editable=False,
                verbose_name="changed",
            ),
        ),
        migrations.AddIndex(
            model_name="case", index=models.Index(fields=["updated_at", "id"], name="case_by_change")
        ),
        migrations.AddIndex(
            model_name="case", index=models.Index(fields=["opened_at", "id"], name="case_by_opening")
        ),
    ]
