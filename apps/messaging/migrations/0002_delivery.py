import apps.common.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0003_indexes'),
        ('messaging', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='DeliveryEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('delivered', 'delivered'), ('deferred', 'deferred'), ('soft_bounce', 'temporary failure'), ('hard_bounce', 'bounced'), ('complained', 'complained'), ('unsubscribed', 'unsubscribed'), ('rejected', 'rejected'), ('opened', 'opened'), ('clicked', 'clicked')], max_length=12, verbose_name='what')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('detail', models.CharField(blank=True, max_length=500, verbose_name='detail')),
                ('event_id', models.CharField(max_length=200)),
            ],
            options={
                'verbose_name': 'delivery event',
                'verbose_name_plural': 'delivery events',
            },
        ),
        migrations.CreateModel(
            name='DomainRest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('domain', models.CharField(max_length=253, unique=True, verbose_name='domain')),
                ('faults', models.PositiveSmallIntegerField(default=0, verbose_name='refusals in a row')),
                ('until', models.DateTimeField(verbose_name='rests until')),
            ],
            options={
                'verbose_name': 'resting domain',
                'verbose_name_plural': 'resting domains',
            },
        ),
        migrations.CreateModel(
            name='MailFrame',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.BinaryField(max_length=32, unique=True)),
                ('text', models.TextField(verbose_name='text')),
                ('html', models.TextField(blank=True, verbose_name='HTML')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
            ],
        ),
        migrations.CreateModel(
            name='MailPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('keep_bodies_days', models.PositiveSmallIntegerField(default=90, help_text='Afterwards only the fact stays: when, to whom, which subject, what became of it.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3650)], verbose_name='keep what was written for days')),
                ('soft_bounces', models.PositiveSmallIntegerField(default=3, help_text='So many different mails in a row that the address did not take, within 30 days.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(20)], verbose_name='temporary failures that block an address')),
                ('requires_double_opt_in', models.BooleanField(default=False, help_text='A consent without the click in a confirmation mail is no legal basis then.', verbose_name='only confirmed consent counts')),
                ('learns_from_opens', models.BooleanField(default=False, help_text='Only where the mail service reports it and the contact agreed. Answers count in any case.', verbose_name='learn the best hour from opened mails')),
                ('sms_use', models.CharField(choices=[('never', 'never'), ('without_email', 'to contacts without an e-mail address'), ('preferred', 'whenever there is a number')], default='never', max_length=14, verbose_name='text messages')),
            ],
            options={
                'verbose_name': 'mail policy',
                'verbose_name_plural': 'mail policy',
            },
        ),
        migrations.CreateModel(
            name='MailTemplate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, unique=True, verbose_name='name')),
                ('purpose', models.CharField(choices=[('invitation', 'invitation'), ('reminder', 'reminder'), ('follow_up', 'follow-up'), ('opt_in', 'confirmation of consent')], max_length=12, verbose_name='purpose')),
                ('layout', models.CharField(choices=[('framed', 'within the built-in frame'), ('whole', 'a whole page of your own')], default='framed', max_length=8, verbose_name='layout')),
                ('subject', apps.common.fields.TextsField(default=dict, verbose_name='subject')),
                ('preheader', apps.common.fields.TextsField(blank=True, default=dict, help_text='What mail programs show beside the subject. Empty: the first words.', verbose_name='preheader')),
                ('html', apps.common.fields.TextsField(blank=True, default=dict, help_text='Empty: the text, with its paragraphs.', multiline=True, verbose_name='HTML')),
                ('text', apps.common.fields.TextsField(default=dict, multiline=True, verbose_name='text')),
                ('sms', apps.common.fields.TextsField(blank=True, default=dict, help_text='Empty: the subject and the link.', multiline=True, verbose_name='text message')),
                ('is_default', models.BooleanField(default=False, help_text='Used wherever nothing else is chosen for this purpose.', verbose_name='default')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
            ],
            options={
                'verbose_name': 'mail template',
                'verbose_name_plural': 'mail templates',
            },
        ),
        migrations.CreateModel(
            name='Pause',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stream', models.CharField(blank=True, max_length=60, unique=True, verbose_name='what waits')),
                ('since', models.DateTimeField(verbose_name='since')),
                ('by', models.CharField(blank=True, max_length=150, verbose_name='by')),
            ],
            options={
                'verbose_name': 'pause',
                'verbose_name_plural': 'pauses',
            },
        ),
        migrations.CreateModel(
            name='SenderDomain',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('domain', models.CharField(max_length=253, unique=True, verbose_name='domain')),
                ('verified_at', models.DateTimeField(editable=False, null=True, verbose_name='verified')),
                ('checked_at', models.DateTimeField(editable=False, null=True, verbose_name='last checked')),
                ('findings', models.JSONField(default=list, editable=False, verbose_name='findings')),
            ],
            options={
                'verbose_name': 'sender domain',
                'verbose_name_plural': 'sender domains',
            },
        ),
        migrations.AlterModelOptions(
            name='outgoingemail',
            options={'verbose_name': 'message', 'verbose_name_plural': 'messages'},
        ),
        migrations.AddField(
            model_name='outgoingemail',
            name='batch',
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='outgoingemail',
            name='position',
            field=models.PositiveSmallIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='outgoingemail',
            name='channel',
            field=models.CharField(choices=[('email', 'e-mail'), ('sms', 'text message')], default='email', max_length=5, verbose_name='channel'),
        ),
        migrations.AddField(
            model_name='outgoingemail',
            name='domain',
            field=models.CharField(blank=True, max_length=253, verbose_name="recipient's domain"),
        ),
        migrations.AddField(
            model_name='outgoingemail',
            name='esp_id',
            field=models.CharField(blank=True, max_length=200, verbose_name='id at the mail service'),
        ),
        migrations.AddField(
            model_name='outgoingemail',
            name='needs_legal_basis',
            field=models.BooleanField(default=True, help_text='Only the question whether we may write needs none.', verbose_name='needs a legal basis'),
        ),
        migrations.AddField(
            model_name='outgoingemail',
            name='relay',
            field=models.SlugField(blank=True, max_length=40, verbose_name='sent through'),
        ),
        migrations.AddField(
            model_name='outgoingemail',
            name='stream',
            field=models.CharField(blank=True, help_text='What may be paused as one, e.g. survey:3', max_length=60, verbose_name='belongs to'),
        ),
        migrations.AddField(
            model_name='outgoingemail',
            name='values',
            field=models.JSONField(default=dict, verbose_name='values'),
        ),
        migrations.AddField(
            model_name='sender',
            name='relay',
            field=models.SlugField(blank=True, help_text="Empty: the platform's usual mail service.", max_length=40, verbose_name='sent through'),
        ),
        migrations.AddField(
            model_name='suppression',
            name='lifted_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='lifted'),
        ),
        migrations.AddField(
            model_name='suppression',
            name='lifted_because',
            field=models.CharField(blank=True, editable=False, max_length=200, verbose_name='lifted because'),
        ),
        migrations.AddField(
            model_name='suppression',
            name='lifted_by',
            field=models.CharField(blank=True, editable=False, max_length=150, verbose_name='lifted by'),
        ),
        migrations.AlterField(
            model_name='outgoingemail',
            name='status',
            field=models.CharField(choices=[('queued', 'queued'), ('paused', 'paused'), ('sending', 'sending'), ('sent', 'sent'), ('delivered', 'delivered'), ('bounced', 'bounced'), ('complained', 'complained'), ('unknown', 'unknown'), ('failed', 'failed'), ('revoked', 'revoked')], default='queued', max_length=12, verbose_name='status'),
        ),
        migrations.AlterField(
            model_name='outgoingemail',
            name='to_email',
            field=models.CharField(max_length=254, verbose_name='to'),
        ),
        migrations.AlterField(
            model_name='suppression',
            name='address_hash',
            field=models.BinaryField(max_length=32),
        ),
        migrations.AlterField(
            model_name='suppression',
            name='email',
            field=models.CharField(blank=True, help_text='Empty after the contact was erased.', max_length=254, verbose_name='address'),
        ),
        migrations.AlterField(
            model_name='suppression',
            name='reason',
            field=models.CharField(choices=[('unsubscribed', 'unsubscribed'), ('bounced', 'bounced'), ('complained', 'complained'), ('manual', 'entered by hand'), ('imported', 'imported')], max_length=20, verbose_name='reason'),
        ),
        migrations.AddIndex(
            model_name='suppression',
            index=models.Index(fields=['-created_at', '-id'], name='suppression_by_time'),
        ),
        migrations.AddConstraint(
            model_name='suppression',
            constraint=models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('address_hash',), name='suppression_once_per_address'),
        ),
        migrations.AddConstraint(
            model_name='suppression',
            constraint=models.CheckConstraint(condition=models.Q(('lifted_at__isnull', True), models.Q(('lifted_because', ''), _negated=True), _connector='OR'), name='suppression_lifted_with_reason', violation_error_message='Say why it is lifted.'),
        ),
        migrations.AddField(
            model_name='deliveryevent',
            name='email',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='messaging.outgoingemail', verbose_name='message'),
        ),
        migrations.AddField(
            model_name='outgoingemail',
            name='frame',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.mailframe'),
        ),
        migrations.AddConstraint(
            model_name='mailpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('pk', 1)), name='mail_policy_single_row'),
        ),
        migrations.AddConstraint(
            model_name='mailtemplate',
            constraint=models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('purpose',), name='mail_template_one_default', violation_error_message='Another template is the default for this purpose already.'),
        ),
        migrations.AddConstraint(
            model_name='senderdomain',
            constraint=models.CheckConstraint(condition=models.Q(('domain', django.db.models.functions.text.Lower('domain'))), name='sender_domain_lower_case'),
        ),
        migrations.AddIndex(
            model_name='deliveryevent',
            index=models.Index(fields=['email', 'at'], name='delivery_event_by_email'),
        ),
        migrations.AddConstraint(
            model_name='deliveryevent',
            constraint=models.UniqueConstraint(fields=('email', 'kind', 'event_id'), name='delivery_event_once'),
        ),
    ]
