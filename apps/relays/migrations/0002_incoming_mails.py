"""Ways by which mails come in, and messages in the platform's mailbox that were not taken."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('relays', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='IncomingWay',
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
                ('key', models.CharField(max_length=50, unique=True, verbose_name='way')),
            ],
            options={
                'verbose_name': 'way for incoming mails',
                'verbose_name_plural': 'ways for incoming mails',
            },
        ),
        migrations.CreateModel(
            name='IncomingMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid_validity', models.BigIntegerField()),
                ('uid', models.BigIntegerField(verbose_name='number in the mailbox')),
                ('message_id', models.CharField(blank=True, max_length=998, verbose_name='Message-ID')),
                ('state', models.CharField(choices=[('to_mark', 'taken, to be marked as read'), ('failing', 'is tried again'), ('aside', 'put aside')], max_length=8, verbose_name='state')),
                ('tries', models.PositiveSmallIntegerField(default=0, verbose_name='tries')),
                ('error', models.CharField(blank=True, max_length=500, verbose_name='error')),
                ('at', models.DateTimeField(verbose_name='since')),
                ('mailbox', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='relays.incomingway', verbose_name='mailbox')),
            ],
            options={
                'verbose_name': 'incoming mail that was not taken',
                'verbose_name_plural': 'incoming mails that were not taken',
                'constraints': [models.UniqueConstraint(fields=('mailbox', 'uid_validity', 'uid'), name='incoming_message_once')],
            },
        ),
    ]
