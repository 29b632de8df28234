from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CasesConfig(AppConfig):
    name = "apps.cases"
    verbose_name = _("Cases")

    def ready(self) -> None:
        # Connects the receiver, and listens to responses; both import models, so not before now.
        import_module("apps.cases.receivers")
        import_module("apps.cases.calling")
