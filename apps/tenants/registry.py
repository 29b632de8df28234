"""Which host and which schema belong to which tenant, kept in the process.

Looking a host up in the database costs more than a small page. Entries live for a few seconds and
are dropped at once in the process that changes a tenant or domain; other processes follow when
their entries expire.
"""

import time
from dataclasses import dataclass

from django.conf import settings
from django_tenants.utils import schema_context

from apps.common.db import connection
from apps.tenants.models import Domain, Tenant

TTL_SECONDS = 5.0
MAX_ENTRIES = 50_000
PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class TenantRef:
    """What a request needs to know of its tenant. Fits ``connection.set_tenant``."""

    id: int
    schema_name: str
    name: str
    host: str

    def get_tenant_type(self) -> None:
        """django-tenants asks; all our tenants are of one type."""


_PUBLIC_REF = TenantRef(0, PUBLIC, "Resonanz", settings.PUBLIC_DOMAIN)
_cache: dict[str, tuple[float, TenantRef | None]] = {}


def by_host(host: str) -> TenantRef | None:
    """The active tenant of a lower-case host name without port; None if there is none."""
    if host == settings.PUBLIC_DOMAIN:
        return _PUBLIC_REF
    return _lookup(f"host:{host}")


def by_schema(schema_name: str, *, fresh: bool = False) -> TenantRef | None:
    """The active tenant of a schema; None for public, unknown, deleted or inactive ones.

    ``fresh`` asks the database, for work that must not start in a schema dropped a moment ago.
    """
    if fresh:
        _cache.pop(f"schema:{schema_name}", None)
    return _lookup(f"schema:{schema_name}")


def forget() -> None:
    """Drop all entries of this process."""
    _cache.clear()


def _lookup(key: str) -> TenantRef | None:
    found = _cache.get(key)
    now = time.monotonic()
    if found is not None and found[0] > now:
        return found[1]
    ref = _query(*key.split(":", 1))
    if len(_cache) >= MAX_ENTRIES:  # Bounded, also against made-up host names.
        _cache.clear()
    _cache[key] = (now + TTL_SECONDS, ref)
    return ref


def _query(kind: str, value: str) -> TenantRef | None:
    if "\x00" in value:
        return None
    rows = Tenant.objects.filter(is_active=True).exclude(schema_name=PUBLIC)
    with schema_context(PUBLIC):
        if kind == "host":
            row = rows.filter(domains__domain=value).values_list("pk", "schema_name", "name").first()
            return TenantRef(row[0], row[1], row[2], value) if row else None
        row = rows.filter(schema_name=value).values_list("pk", "schema_name", "name").first()
        if row is None:
            return None
        domains = Domain.objects.filter(tenant_id=row[0]).order_by("-is_primary", "pk")
        return TenantRef(row[0], row[1], row[2], domains.values_list("domain", flat=True).first() or "")


def base_url_of(host: str) -> str:
    """Scheme, host and the platform's port: where a host's pages are reached."""
    port = settings.PUBLIC_HOST.partition(":")[2]
    return f"{settings.PUBLIC_SCHEME}://{host}:{port}" if port else f"{settings.PUBLIC_SCHEME}://{host}"


def current_base_url() -> str:
    """Where the current tenant's pages are reached, without a slash at the end."""
    ref = by_schema(connection.schema_name)
    if ref is None or not ref.host:
        raise LookupError(f"{connection.schema_name} is switched off or has no host name: no links can be written.")
    return base_url_of(ref.host)
