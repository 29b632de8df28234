"""How other systems reach us (API keys) and how we reach them (webhooks)."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    """What an API key may do."""

    EVENTS_WRITE = "events:write", _("send events")
    READ = "read", _("read everything")


def default_scopes() -> list[str]:
    """A new key may do all there is."""
    return list(Scope.values)


class ApiKey(models.Model):
    """A key for the REST API. Only its hash is stored; the key itself is shown once."""

    name = models.CharField(_("name"), max_length=120)
    key_hash = models.BinaryField(unique=True, editable=False, max_length=32)
    hint = models.CharField(_("ends in"), max_length=8, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=40, choices=Scope), verbose_name=_("scopes"), default=default_scopes
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return self.name

    def is_valid(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)
