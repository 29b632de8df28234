from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TenantsConfig(AppConfig):
    name = "apps.tenants"
    verbose_name = _("Tenants")

    def ready(self) -> None:
        # Connects the receivers; they import models, so not before now.
        import_module("apps.tenants.receivers")
        import_module("apps.tenants.content_types").keep_apart()
