from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    name = "apps.campaigns"
    verbose_name = _("Follow-up")

    def ready(self) -> None:
        # Registers with cases; it imports models, so not before now.
        import_module("apps.campaigns.waking")
