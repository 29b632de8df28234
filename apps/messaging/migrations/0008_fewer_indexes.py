from django.db import migrations, models

# Django makes an index for LIKE beside each unique text, and for each slug. Nobody looks for messages in that way,
# and every message pays for them three times: when it is queued, begun and sent.
DROP = """
    DO $$
    DECLARE name text;
    BEGIN
        FOR name IN SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()
            AND tablename = 'messaging_outgoingemail' AND indexname LIKE '%\\_like'
        LOOP EXECUTE format('DROP INDEX %I', name); END LOOP;
    END $$
"""


class Migration(migrations.Migration):
    """The outbox without indexes that nobody uses."""

    dependencies = [("messaging", "0007_delivery_pages")]

    operations = [
        migrations.AlterField(
            model_name="outgoingemail",
            name="relay",
            field=models.SlugField(blank=True, db_index=False, max_length=40, verbose_name="sent through"),
        ),
        migrations.RunSQL(DROP, migrations.RunSQL.noop),
    ]
