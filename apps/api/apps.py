from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    name = "apps.api"
    verbose_name = _("API")

    def ready(self) -> None:
        # Imported for what it registers; it imports models, so not before now.
        import_module("apps.api.delighted.telling")
