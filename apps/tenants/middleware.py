"""Host → tenant, before anything else happens. Unknown hosts get the same 404 whatever they ask."""

import re
from collections.abc import Callable

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.urls import set_urlconf

from apps.common.db import connection
from apps.tenants import registry

API_PREFIX = "/api/"
# rk_<schema>_<secret>: the key names its tenant, so that integrations may call the public host.
KEY_SCHEMA = re.compile(r"(?:Bearer|Token) +rk_([a-z][a-z0-9_]{2,40})_[A-Za-z0-9]{43}\Z", re.IGNORECASE)


class TenantMiddleware:
    """Selects the tenant and its URLs for the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "%00" in request.META.get("QUERY_STRING", ""):
            # PostgreSQL cannot look for it, and no page of ours asks for it.
            return HttpResponse("Bad request.", status=400, content_type="text/plain")
        try:
            found = self._select(request)
        except OperationalError:
            text = "The database does not answer. Try again in a moment."
            return HttpResponse(text, status=503, content_type="text/plain", headers={"Retry-After": "5"})
        if not found:
            return HttpResponseNotFound("Not found.", content_type="text/plain")
        return self.get_response(request)

    def _select(self, request: HttpRequest) -> bool:
        """Stand in the tenant that the request is for, with its URLs; False if there is none."""
        tenant = registry.by_host(_hostname(request))
        if tenant is None:
            # The thread's last request may have left another tenant selected.
            connection.set_schema_to_public()
            return False
        request.tenant = tenant  # type: ignore[attr-defined]
        is_public = tenant.schema_name == registry.PUBLIC
        urlconf = settings.PUBLIC_SCHEMA_URLCONF if is_public else settings.ROOT_URLCONF
        if is_public and request.path_info.startswith(API_PREFIX):
            # The key is checked later, inside the schema it names; a wrong one finds nothing there.
            named = KEY_SCHEMA.match(request.headers.get("Authorization", ""))
            tenant = (registry.by_schema(named[1]) if named else None) or tenant
        connection.set_tenant(tenant)
        request.urlconf = urlconf
        set_urlconf(urlconf)
        return True


def _hostname(request: HttpRequest) -> str:
    """The Host header without port, lower case. X-Forwarded-Host is never looked at."""
    host: str = request.META.get("HTTP_HOST") or request.META.get("SERVER_NAME", "")
    return host.partition(":")[0].rstrip(".").lower()
