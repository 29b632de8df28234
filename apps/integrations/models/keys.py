"""How other systems reach us: API keys, and what was answered to requests that may come twice."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    """What an API key may do."""

    EVENTS_WRITE = "events:write", _("send events")
    READ = "read", _("read everything")
    CONTACTS_WRITE = "contacts:write", _("write contacts and companies")
    SUPPRESSIONS_WRITE = "suppressions:write", _("block and unblock addresses")
    RESPONSES_WRITE = "responses:write", _("write responses")
    CASES_WRITE = "cases:write", _("open and change cases")
    VOUCHERS_WRITE = "vouchers:write", _("redeem vouchers")
    INSIGHTS_WRITE = "insights:write", _("note annotations, set targets, keep improvement actions")
    SETUP_WRITE = "setup:write", _("change touchpoints, segments, rules and webhooks")


# What a key that stands in another tool's settings, or in a program at the edge, may do.
INTAKE_SCOPES = (Scope.EVENTS_WRITE, Scope.CONTACTS_WRITE)


def default_scopes() -> list[str]:
    """A new key may do all there is."""
    return list(Scope.values)


class ApiKey(models.Model):
    """A key for the REST API. Only its hash is stored; the key itself is shown once."""

    class Kind(models.TextChoices):
        """The first letters of the key, so that everybody who finds one sees what it opens."""

        SERVER = "rk", _("server key")
        INTAKE = "wk", _("write key: only brings events and contacts in")

    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=2, choices=Kind, default=Kind.SERVER)
    key_hash = models.BinaryField(unique=True, editable=False, max_length=32)
    hint = models.CharField(_("ends in"), max_length=8, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=40, choices=Scope), verbose_name=_("scopes"), default=default_scopes
    )
    requests_per_minute = models.PositiveIntegerField(
        _("requests per minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(10_000_000)],
        help_text=_("Empty: as many as the installation allows."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    replaces = models.OneToOneField(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="replaced_by",
        verbose_name=_("replaces"),
    )

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        constraints = [
            models.CheckConstraint(condition=models.Q(kind="rk") | models.Q(kind="wk"), name="apikey_kind_known"),
            models.CheckConstraint(
                condition=models.Q(requests_per_minute__isnull=True) | models.Q(requests_per_minute__gt=0),
                name="apikey_some_requests",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def is_valid(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class IdempotentRequest(models.Model):
    """A request that came with an Idempotency-Key and was carried out: the same one again gets the same answer.

    Event intake writes one with every event, so the row is narrow, without a foreign key, which would
    have all requests of an API key lock that key's row.
    """

    # Digest of the API key's id and the Idempotency-Key (apps.integrations.once).
    id = models.UUIDField(primary_key=True, editable=False)
    # Over method, path and body: the key must not be used for something else.
    fingerprint = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(_("HTTP status"))
    content_type = models.CharField(max_length=80)
    body = models.BinaryField()
    created_at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("idempotent request")
        verbose_name_plural = _("idempotent requests")
        indexes = [models.Index(fields=["created_at"], name="idempotent_request_age")]

    def __str__(self) -> str:
        return str(self.id)
