"""A mailbox of the tenant's own for answers, and what kind of mail an answer is."""

import apps.common.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0003_changed'),
    ]

    operations = [
        migrations.AddField(
            model_name='casemail',
            name='full_text',
            field=models.TextField(blank=True, db_default='', default='', verbose_name='whole text'),
        ),
        migrations.AddField(
            model_name='casemail',
            name='kind',
            field=models.CharField(blank=True, choices=[('', 'written by a person'), ('auto', 'automatic reply'), ('bounce', 'could not be delivered')], db_default='', default='', max_length=6, verbose_name='kind'),
        ),
        migrations.CreateModel(
            name='CaseMailbox',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid_validity', models.BigIntegerField(editable=False, null=True)),
                ('last_uid', models.BigIntegerField(default=0, editable=False)),
                ('next_check_at', models.DateTimeField(editable=False, null=True, verbose_name='next look')),
                ('lease_until', models.DateTimeField(editable=False, null=True)),
                ('checked_at', models.DateTimeField(editable=False, null=True, verbose_name='last look')),
                ('faults', models.PositiveIntegerField(default=0, editable=False, verbose_name='faults in a row')),
                ('last_error', models.CharField(blank=True, editable=False, max_length=500, verbose_name='last error')),
                ('taken', models.PositiveBigIntegerField(default=0, editable=False, verbose_name='answers taken')),
                ('nobodys', models.PositiveBigIntegerField(default=0, editable=False, verbose_name='mails that belong to no case')),
                ('address', models.EmailField(help_text='Answers go to it with a mark after a “+”: the mail service must deliver those as well.', max_length=254, validators=[django.core.validators.RegexValidator('\\A[A-Za-z0-9][A-Za-z0-9._-]{0,13}@[^@\\s]+\\Z', 'At most 14 characters and no “+” before the “@”.')], verbose_name='address')),
                ('host', models.CharField(max_length=253, validators=[django.core.validators.RegexValidator('\\A[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\\Z', 'Enter a host name.')], verbose_name='IMAP server')),
                ('port', models.PositiveIntegerField(default=993, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(65535)], verbose_name='port')),
                ('security', models.CharField(choices=[('ssl', 'TLS from the start (993)'), ('tls', 'STARTTLS (143)')], default='ssl', max_length=3, verbose_name='encryption')),
                ('user', models.CharField(max_length=254, validators=[django.core.validators.RegexValidator('\\A[\\x20-\\x7e]+\\Z', 'Only letters, digits and signs without accents.')], verbose_name='user name')),
                ('password', apps.common.fields.SealedField(max_length=500, purpose='cases.casemailbox.password', verbose_name='password')),
                ('folder', models.CharField(default='INBOX', max_length=200, validators=[django.core.validators.RegexValidator('\\A[\\x20-\\x7e]+\\Z', 'Only letters, digits and signs without accents.')], verbose_name='folder')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
            ],
            options={
                'verbose_name': 'mailbox for answers',
                'verbose_name_plural': 'mailbox for answers',
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='case_mailbox_single_row')],
            },
        ),
        migrations.CreateModel(
            name='CaseMailboxMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid_validity', models.BigIntegerField()),
                ('uid', models.BigIntegerField(verbose_name='number in the mailbox')),
                ('message_id', models.CharField(blank=True, max_length=998, verbose_name='Message-ID')),
                ('state', models.CharField(choices=[('to_mark', 'taken, to be marked as read'), ('failing', 'is tried again'), ('aside', 'put aside')], max_length=8, verbose_name='state')),
                ('tries', models.PositiveSmallIntegerField(default=0, verbose_name='tries')),
                ('error', models.CharField(blank=True, max_length=500, verbose_name='error')),
                ('at', models.DateTimeField(verbose_name='since')),
                ('mailbox', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='cases.casemailbox', verbose_name='mailbox')),
            ],
            options={
                'verbose_name': 'incoming mail that was not taken',
                'verbose_name_plural': 'incoming mails that were not taken',
                'constraints': [models.UniqueConstraint(fields=('mailbox', 'uid_validity', 'uid'), name='case_mailbox_message_once')],
            },
        ),
    ]
