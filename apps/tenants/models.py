"""Tenants and their host names. Public schema only."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_tenants.models import DomainMixin, TenantMixin

from apps.tenants.names import is_valid_schema_name


def validate_schema_name(value: str) -> None:
    """Raises ValidationError unless the name is one a tenant may have (``public`` is the platform's own)."""
    if value != "public" and not is_valid_schema_name(value):
        raise ValidationError(
            _("Use 3 to 41 characters: a lower-case letter, then letters, digits or underscores; “%(name)s” won't do."),
            params={"name": value},
        )


class Tenant(TenantMixin):
    """An organisation with its own schema, host name and users."""

    # Schemas are made by apps.tenants.provisioning, in one transaction with the row.
    auto_create_schema = False
    auto_drop_schema = False

    schema_name = models.CharField(_("schema"), max_length=41, unique=True, validators=[validate_schema_name])
    name = models.CharField(_("name"), max_length=120)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("tenant")
        verbose_name_plural = _("tenants")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(schema_name="public")
                | (models.Q(schema_name__regex=r"^[a-z][a-z0-9_]{2,40}$") & ~models.Q(schema_name__startswith="pg_")),
                name="tenant_schema_name",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        validate_schema_name(self.schema_name)
        super().save(*args, **kwargs)


class Domain(DomainMixin):
    """A host name that leads to a tenant."""

    class Meta:
        verbose_name = _("domain")
        verbose_name_plural = _("domains")
