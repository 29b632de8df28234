
import apps.common.fields
import apps.common.tokens
import apps.relays.models
import django.core.validators
import re
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='RelayState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(blank=True, max_length=40, unique=True)),
                ('faults', models.PositiveIntegerField(default=0, verbose_name='faults in a row')),
                ('rests_until', models.DateTimeField(null=True, verbose_name='rests until')),
                ('last_error', models.CharField(blank=True, max_length=500, verbose_name='last error')),
            ],
            options={
                'verbose_name': 'state of a mail service',
                'verbose_name_plural': 'states of mail services',
            },
        ),
        migrations.CreateModel(
            name='Relay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text="Part of its webhook's address and of every message sent through it: never changes.", max_length=40, unique=True, validators=[django.core.validators.RegexValidator(re.compile('^[-a-zA-Z0-9_]+\\Z'), 'Enter a valid “slug” consisting of letters, numbers, underscores or hyphens.', 'invalid'), apps.relays.models.validate_key], verbose_name='key')),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('kind', models.CharField(choices=[('smtp', 'SMTP server'), ('amazon_ses', 'Amazon SES'), ('brevo', 'Brevo'), ('mailersend', 'MailerSend'), ('mailgun', 'Mailgun'), ('mailjet', 'Mailjet'), ('mailtrap', 'Mailtrap'), ('mandrill', 'Mandrill'), ('postal', 'Postal'), ('postmark', 'Postmark'), ('resend', 'Resend'), ('scaleway', 'Scaleway'), ('sendgrid', 'SendGrid'), ('sparkpost', 'SparkPost'), ('unisender_go', 'Unisender Go')], default='smtp', max_length=20, verbose_name='kind')),
                ('settings', apps.common.fields.SealedJSONField(default=dict, editable=False, purpose='relays.relay.settings', verbose_name='settings')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('is_default', models.BooleanField(default=False, help_text='Used wherever a sender names no other. Without one: EMAIL_URL.', verbose_name='default')),
                ('is_offered', models.BooleanField(default=False, verbose_name='offered to tenants')),
                ('webhook_secret', apps.common.fields.SealedField(default=apps.common.tokens.new_token, editable=False, purpose='relays.relay.webhook_secret', verbose_name='webhook secret')),
                ('spf_include', models.CharField(blank=True, help_text="What senders' SPF must include, e.g. mailgun.org.", max_length=253, verbose_name='SPF include')),
                ('dkim_selector', models.CharField(blank=True, help_text='The part before ._domainkey.', max_length=63, verbose_name='DKIM selector')),
                ('dkim_target', models.CharField(blank=True, help_text="Where the senders' DKIM name points to (CNAME); {domain} stands for theirs.", max_length=253, verbose_name='DKIM target')),
                ('dkim_value', models.TextField(blank=True, help_text='Instead of a target: the TXT record itself, v=DKIM1; …', verbose_name='DKIM value')),
                ('return_path_label', models.CharField(default='bounces', help_text="The name below the sender's domain that mails return to.", max_length=63, verbose_name='Return-Path host')),
                ('return_path_target', models.CharField(blank=True, help_text='Where that host points to (CNAME).', max_length=253, verbose_name='Return-Path target')),
                ('batch_size', models.PositiveSmallIntegerField(default=100, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000)], verbose_name='messages at once')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
            ],
            options={
                'verbose_name': 'mail service',
                'verbose_name_plural': 'mail services',
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='relay_one_default', violation_error_message='Another mail service is the default already.'), models.CheckConstraint(condition=models.Q(('key', 'env'), _negated=True), name='relay_key_not_environment'), models.CheckConstraint(condition=models.Q(('kind', 'smtp'), models.Q(('webhook_secret', ''), _negated=True), _connector='OR'), name='relay_webhook_has_secret', violation_error_message='A mail service that reports back needs a webhook secret.')],
            },
        ),
        migrations.CreateModel(
            name='SentHandle',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('relay', models.CharField(blank=True, max_length=40)),
                ('esp_id', models.CharField(max_length=200)),
                ('schema_name', models.CharField(max_length=41)),
                ('email_id', models.UUIDField()),
                ('at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['at'], name='sent_handle_by_age')],
                'constraints': [models.UniqueConstraint(fields=('relay', 'esp_id'), name='sent_handle_once')],
            },
        ),
    ]
