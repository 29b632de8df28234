from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RelaysConfig(AppConfig):
    name = "apps.relays"
    verbose_name = _("Mail")

    def ready(self) -> None:
        # Connects the receivers; they import models, so not before now.
        import_module("apps.relays.receivers")
