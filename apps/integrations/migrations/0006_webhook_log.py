import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import apps.common.fields
import apps.common.ids


class Migration(migrations.Migration):
    """What was sent and what came back, repetitions, and a second secret while one is replaced."""

    dependencies = [
        ("integrations", "0005_keys_and_repeats"),
    ]

    operations = [
        migrations.CreateModel(
            name="Replay",
            fields=[
                (
                    "id",
                    models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("since", models.DateTimeField(verbose_name="from")),
                ("until", models.DateTimeField(verbose_name="to")),
                ("event_type", models.CharField(blank=True, max_length=40, verbose_name="event type")),
                ("status", models.CharField(blank=True, max_length=20, verbose_name="status")),
                ("total", models.PositiveIntegerField(verbose_name="deliveries")),
                ("queued", models.PositiveIntegerField(default=0, verbose_name="queued again")),
                ("reached", models.DateTimeField(editable=False, null=True)),
                ("by", models.CharField(blank=True, max_length=150, verbose_name="by")),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("done_at", models.DateTimeField(null=True, verbose_name="done")),
            ],
            options={
                "verbose_name": "webhook repetition",
                "verbose_name_plural": "webhook repetitions",
            },
        ),
        migrations.AddField(
            model_name="attempt",
            name="request_headers",
            field=models.JSONField(db_default={}, default=dict, verbose_name="headers sent"),
        ),
        migrations.AddField(
            model_name="attempt",
            name="response_headers",
            field=models.JSONField(db_default={}, default=dict, verbose_name="headers of the answer"),
        ),
        migrations.AddField(
            model_name="attempt",
            name="url",
            field=models.CharField(blank=True, db_default="", default="", max_length=1000, verbose_name="address"),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="failing_since",
            field=models.DateTimeField(editable=False, null=True, verbose_name="failing since"),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="is_slow",
            field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name="slow"),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="name",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="What it is for, e.g. “CRM”. Empty: its address.",
                max_length=100,
                verbose_name="name",
            ),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="old_secret",
            field=apps.common.fields.SealedField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                max_length=120,
                purpose="integrations.endpoint.old_secret",
                verbose_name="secret before",
            ),
        ),
        migrations.AddField(
            model_name="endpoint",
            name="old_secret_until",
            field=models.DateTimeField(editable=False, null=True, verbose_name="secret before signs until"),
        ),
        migrations.AlterField(
            model_name="endpoint",
            name="disabled_reason",
            field=models.CharField(
                blank=True,
                choices=[("gone", "the receiver answered 410 Gone"), ("failing", "nothing was taken for five days")],
                editable=False,
                max_length=20,
                verbose_name="switched off because",
            ),
        ),
        migrations.AlterField(
            model_name="endpoint",
            name="event_types",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("response.created", "a response arrived"),
                        ("response.updated", "a response changed"),
                        ("response.suspected", "a response is probably a machine's"),
                        ("invitation.sent", "an invitation was sent"),
                        ("invitation.bounced", "an invitation could not be delivered"),
                        ("contact.unsubscribed", "a contact unsubscribed or complained"),
                        ("contact.erased", "a contact was erased"),
                    ],
                    max_length=40,
                ),
                blank=True,
                default=list,
                help_text="Nothing chosen means everything.",
                size=None,
                verbose_name="told about",
            ),
        ),
        migrations.AddField(
            model_name="replay",
            name="endpoint",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="replays",
                to="integrations.endpoint",
                verbose_name="endpoint",
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="replay",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="deliveries",
                to="integrations.replay",
                verbose_name="repetition",
            ),
        ),
        migrations.AddConstraint(
            model_name="replay",
            constraint=models.UniqueConstraint(
                condition=models.Q(("done_at__isnull", True)), fields=("endpoint",), name="replay_one_at_a_time"
            ),
        ),
    ]
