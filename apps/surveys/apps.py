from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SurveysConfig(AppConfig):
    name = "apps.surveys"
    verbose_name = _("Surveys")

    def ready(self) -> None:
        # Registers with delivery; it imports models, so not before now.
        import_module("apps.surveys.announcements")
