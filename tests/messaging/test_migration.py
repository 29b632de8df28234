"""What was sent before messages had frames can still be read, and what waits still leaves."""

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from apps.messaging.models import OutgoingEmail
from apps.messaging.parcels import as_sent
from apps.tenants.migrating import SparingExecutor
from tests.schemas import bare

__all__ = ["bare"]
BEFORE = [("messaging", "0001_initial")]
AFTER = [("messaging", "0003_frames")]
TEXT = "Hello {{ name }}, 100 % {% off %}\nRead https://x.example/s/abc?score=9"


def test_old_mails_keep_their_words(bare: None) -> None:
    SparingExecutor(connection).migrate(BEFORE)
    model = SparingExecutor(connection).loader.project_state(BEFORE).apps.get_model("messaging", "OutgoingEmail")
    for number, status in enumerate(("sent", "queued")):
        model.objects.create(
            reason=f"invitation:{number}", to_email="Ada@X.example", from_header="n@x.example", subject="Hi",
            text=TEXT, html="<p>Hello <b>Ada</b></p>", message_id=f"<{number}>", status=status,
            due_at="2026-01-01T00:00Z", queued_at="2026-01-01T00:00Z",
        )  # fmt: skip
    SparingExecutor(connection).migrate(AFTER)
    # As if it had been interrupted at its end: it may be run again.
    MigrationRecorder(connection).record_unapplied(*AFTER[0])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'email_batch'::regclass")
    SparingExecutor(connection).migrate(AFTER)
    newest = list(SparingExecutor(connection).loader.graph.leaf_nodes("messaging"))
    SparingExecutor(connection).migrate(newest)
    rows = list(OutgoingEmail.objects.order_by("reason"))
    assert [(row.status, row.domain, row.channel) for row in rows] == [
        ("sent", "x.example", "email"), ("queued", "x.example", "email"),
    ]  # fmt: skip
    assert len({row.frame_id for row in rows}) == 1
    for row in rows:
        sent = as_sent(row)
        assert sent is not None
        assert (sent.text, sent.html) == (TEXT, "<p>Hello <b>Ada</b></p>")
