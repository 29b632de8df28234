from django.db import migrations

import apps.common.fields


class Migration(migrations.Migration):
    """What is promised for answering. So far nothing was."""

    dependencies = [("surveys", "0007_mail_templates")]

    operations = [
        migrations.AddField(
            model_name="survey",
            name="incentive",
            field=apps.common.fields.TextsField(
                blank=True,
                db_default={},
                default=dict,
                help_text=(
                    "For example: 5 € voucher as a thank-you. Stands on the survey page and in invitations. It must "
                    "not depend on the score. By German law an answer given for a reward must not be used in "
                    "advertising without saying so: such responses are marked, and figures can leave them out."
                ),
                verbose_name="promised for answering",
            ),
        ),
    ]
