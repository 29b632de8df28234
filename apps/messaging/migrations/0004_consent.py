from django.db import migrations


class Migration(migrations.Migration):
    """Which consents count is said where contacts are."""

    dependencies = [("messaging", "0003_frames"), ("contacts", "0004_consent")]

    operations = [migrations.RemoveField(model_name="mailpolicy", name="requires_double_opt_in")]
