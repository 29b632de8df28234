from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "apps.messaging"
    verbose_name = _("Messaging")

    def ready(self) -> None:
        # Connects the receiver; it imports models, so not before now.
        import_module("apps.messaging.receivers")
