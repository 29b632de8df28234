from django.db import migrations, models

from apps.common.operations import AddIndexBeside

BATCH = 5000
# What was written so far was each mail's own: one frame with nothing in it but the place for it.
FRAME = """
    INSERT INTO messaging_mailframe (digest, text, html, created_at)
    VALUES (sha256(convert_to('{{ text }}' || chr(31) || '{{ body_html }}', 'UTF8')), '{{ text }}', '{{ body_html }}', now())
    ON CONFLICT (digest) DO UPDATE SET text = excluded.text RETURNING id
"""
MOVE = """
    UPDATE messaging_outgoingemail SET frame_id = %s, "values" = jsonb_build_object('text', text, 'body_html', html),
        domain = lower(split_part(to_email, '@', 2)),
        stream = CASE WHEN reason LIKE 'invitation:%%' THEN 'invitations' WHEN reason LIKE 'step:%%' THEN 'follow-ups' ELSE '' END
    WHERE id IN (SELECT id FROM messaging_outgoingemail WHERE id > %s ORDER BY id LIMIT %s) RETURNING id
"""
THERE = """
    SELECT 1 FROM pg_attribute WHERE attrelid = 'messaging_outgoingemail'::regclass AND attname = 'html' AND NOT attisdropped
"""
# Both at once, and again without harm.
DROP = "ALTER TABLE messaging_outgoingemail DROP COLUMN IF EXISTS html, DROP COLUMN IF EXISTS text"
RESTORE = """
    ALTER TABLE messaging_outgoingemail ADD COLUMN html text NOT NULL DEFAULT '', ADD COLUMN text text NOT NULL DEFAULT '';
    ALTER TABLE messaging_outgoingemail ALTER COLUMN html DROP DEFAULT, ALTER COLUMN text DROP DEFAULT
"""


def move_bodies(apps, schema_editor):
    """In batches, each committed where that is possible: the outbox goes on meanwhile."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM messaging_outgoingemail)")
        if not cursor.fetchone()[0]:
            return
        cursor.execute(THERE)
        if cursor.fetchone() is None:  # Interrupted after that: everything has been moved.
            return
        cursor.execute(FRAME)
        frame = cursor.fetchone()[0]
        last = "00000000-0000-0000-0000-000000000000"
        while last:
            cursor.execute(MOVE, [frame, last, BATCH])
            last = max((row[0] for row in cursor.fetchall()), default=None)


class Migration(migrations.Migration):
    """A message is a frame and its own values; indexes are built beside the running work.

    Interrupted at any point, it may be run again.
    """

    atomic = False

    dependencies = [("messaging", "0002_delivery")]

    operations = [
        migrations.RunPython(move_bodies, migrations.RunPython.noop),
        migrations.RunSQL(
            DROP,
            RESTORE,
            state_operations=[
                migrations.RemoveField(model_name="outgoingemail", name="html"),
                migrations.RemoveField(model_name="outgoingemail", name="text"),
            ],
        ),
        AddIndexBeside(
            model_name='outgoingemail',
            index=models.Index(condition=models.Q(('status__in', ['queued', 'paused', 'sending'])), fields=['stream', 'status'], name='email_waiting'),
        ),
        AddIndexBeside(
            model_name='outgoingemail',
            index=models.Index(fields=['stream', '-queued_at'], name='email_by_stream'),
        ),
        AddIndexBeside(
            model_name='outgoingemail',
            index=models.Index(condition=models.Q(('status', 'sending')), fields=['batch'], name='email_batch'),
        ),
    ]
