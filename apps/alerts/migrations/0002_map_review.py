"""One kind more."""

import django.contrib.postgres.fields
from django.db import migrations, models

import apps.alerts.models.subscriptions


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0001_alerts'),
    ]

    operations = [
        migrations.AlterField(
            model_name='notice',
            name='kind',
            field=models.CharField(choices=[('response', 'a response'), ('case_assigned', 'a case was given to somebody'), ('case_mention', 'somebody was mentioned in a case'), ('case_due', 'a case is due soon'), ('case_overdue', 'a case is overdue'), ('case_escalated', 'a case was escalated'), ('case_reply', 'a contact wrote back'), ('vouchers_low', 'vouchers are running out'), ('campaign_failed', "a campaign's step failed for good"), ('map_review', 'the journey map is due for review')], max_length=20, verbose_name='about'),
        ),
        migrations.AlterField(
            model_name='subscription',
            name='kinds',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('response', 'a response'), ('case_assigned', 'a case was given to somebody'), ('case_mention', 'somebody was mentioned in a case'), ('case_due', 'a case is due soon'), ('case_overdue', 'a case is overdue'), ('case_escalated', 'a case was escalated'), ('case_reply', 'a contact wrote back'), ('vouchers_low', 'vouchers are running out'), ('campaign_failed', "a campaign's step failed for good"), ('map_review', 'the journey map is due for review')], max_length=20), default=apps.alerts.models.subscriptions._kinds, size=None, verbose_name='tell about'),
        ),
    ]
