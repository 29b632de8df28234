import django.db.models.deletion
import django.db.models.functions.text
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

import apps.common.ids


class Migration(migrations.Migration):
    dependencies = [("contacts", "0003_indexes")]

    operations = [
        migrations.CreateModel(
            name="ConsentPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("requires_double_opt_in", models.BooleanField(default=False, help_text="A consent without the click in a confirmation mail is no legal basis then.", verbose_name="only confirmed consent counts")),
            ],
            options={
                "verbose_name": "consent policy",
                "verbose_name_plural": "consent policy",
                "constraints": [models.CheckConstraint(condition=models.Q(("pk", 1)), name="consent_policy_single_row")],
            },
        ),
        migrations.CreateModel(
            name="OptIn",
            fields=[
                ("id", models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("contact", models.ForeignKey(help_text="Empty until the mail is written, where only an address is known.", null=True, on_delete=django.db.models.deletion.CASCADE, related_name="opt_ins", to="contacts.contact", verbose_name="contact")),
                ("email", models.EmailField(max_length=254, verbose_name="address")),
                ("source", models.CharField(max_length=120, verbose_name="source")),
                ("text_version", models.CharField(blank=True, max_length=60, verbose_name="version of the text")),
                ("wording", models.TextField(verbose_name="wording")),
                ("language", models.CharField(blank=True, max_length=20, verbose_name="language")),
                ("reason", models.CharField(max_length=120, unique=True, verbose_name="reason")),
                ("is_own_wish", models.BooleanField(default=False, help_text="From the person's own page: only then an unsubscribed address is asked.", verbose_name="asked for after unsubscribing")),
                ("requested_at", models.DateTimeField(verbose_name="requested")),
                ("due_at", models.DateTimeField(null=True, verbose_name="mail due")),
                ("mailed_at", models.DateTimeField(null=True, verbose_name="mail written")),
                ("refused_because", models.CharField(blank=True, max_length=40, verbose_name="not asked because")),
                ("expires_at", models.DateTimeField(null=True, verbose_name="link valid until")),
                ("confirmed_at", models.DateTimeField(null=True, verbose_name="confirmed")),
                ("token_hash", models.BinaryField(max_length=32, null=True, unique=True)),
            ],
            options={
                "verbose_name": "request for consent",
                "verbose_name_plural": "requests for consent",
                "indexes": [
                    models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="opt_in_due"),
                    models.Index(fields=["email", "-mailed_at"], name="opt_in_by_email"),
                    models.Index(fields=["-requested_at", "-id"], name="opt_in_by_time"),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("email", django.db.models.functions.text.Lower("email"))), name="opt_in_email_lower_case"),
                    models.CheckConstraint(condition=models.Q(("confirmed_at__isnull", True), ("mailed_at__isnull", False), _connector="OR"), name="opt_in_confirmed_by_mail"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Preference",
            fields=[
                ("contact", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="preference", serialize=False, to="contacts.contact", verbose_name="contact")),
                ("wants_surveys", models.BooleanField(default=True, verbose_name="wants surveys")),
                ("wants_follow_ups", models.BooleanField(default=True, verbose_name="wants mails that follow an answer")),
                ("min_days_between", models.PositiveSmallIntegerField(blank=True, choices=[(30, "at most once a month"), (90, "at most once in three months"), (365, "at most once a year")], help_text="Empty: as usual.", null=True, verbose_name="how often")),
                ("changed_at", models.DateTimeField(verbose_name="changed")),
            ],
            options={
                "verbose_name": "contact's wishes",
                "verbose_name_plural": "contacts' wishes",
                "constraints": [models.CheckConstraint(condition=models.Q(("min_days_between__isnull", True), ("min_days_between__in", [30, 90, 365]), _connector="OR"), name="preference_known_gap")],
            },
        ),
        migrations.AddField(
            model_name="contact",
            name="phone",
            field=models.CharField(blank=True, db_default="", default="", help_text="For text messages, for example +49 170 1234567.", max_length=16, verbose_name="telephone"),
        ),
        # Held against new rows only; looking through the old ones is the next migration's work.
        AddConstraintNotValid(
            model_name="contact",
            constraint=models.CheckConstraint(condition=models.Q(("phone", ""), ("phone__regex", "^\\+[1-9][0-9]{6,14}$"), _connector="OR"), name="contact_phone_international", violation_error_message="Write the number with its country, for example +49 170 1234567."),
        ),
        migrations.AddField(
            model_name="legalbasis",
            name="confirmed_at",
            field=models.DateTimeField(blank=True, help_text="When the link in the confirmation mail was used.", null=True, verbose_name="confirmed"),
        ),
        migrations.AddField(
            model_name="legalbasis",
            name="wording",
            field=models.TextField(blank=True, db_default="", default="", help_text="The text that was agreed to, or the notice that was given.", verbose_name="wording"),
        ),
        migrations.AddField(
            model_name="legalbasis",
            name="opt_in",
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="legal_bases", to="contacts.optin", verbose_name="confirmation"),
        ),
    ]
