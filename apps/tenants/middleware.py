"""Host → tenant, before anything else happens. Unknown hosts get the same 404 whatever they ask."""

from collections.abc import Callable

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import set_urlconf

from apps.common.db import connection
from apps.common.sent_keys import basic_key, bearer_key, schema_named_by
from apps.tenants import registry

# Whoever calls the compatible API reads every answer as JSON.
COMPATIBLE_PREFIX = "/v1/"
API_PREFIX = "/api/"
API_PREFIXES = (API_PREFIX, COMPATIBLE_PREFIX)


class TenantMiddleware:
    """Selects the tenant and its URLs for the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "%00" in request.META.get("QUERY_STRING", ""):
            # PostgreSQL cannot look for it, and no page of ours asks for it.
            return _refusal(request, 400, "Bad request.")
        try:
            found = self._select(request)
        except OperationalError:
            text = "The database does not answer. Try again in a moment."
            return _refusal(request, 503, text, {"Retry-After": "5"})
        if not found:
            return _refusal(request, 404, "Not found.")
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
        if is_public and request.path_info.startswith(API_PREFIXES):
            # The key is checked later, inside the schema it names; a wrong one finds nothing there.
            header = request.headers.get("Authorization", "")
            named = schema_named_by(bearer_key(header) or basic_key(header))
            tenant = (registry.by_schema(named) if named else None) or tenant
        connection.set_tenant(tenant)
        request.urlconf = urlconf
        set_urlconf(urlconf)
        return True


def _refusal(request: HttpRequest, status: int, text: str, headers: dict[str, str] | None = None) -> HttpResponse:
    if request.path_info.startswith(COMPATIBLE_PREFIX):
        return JsonResponse({"status": status, "message": text}, status=status, headers=headers)
    if request.path_info.startswith(API_PREFIX):
        body = {"type": "about:blank", "title": text, "status": status, "detail": text}
        return JsonResponse(body, status=status, content_type="application/problem+json", headers=headers)
    return HttpResponse(text, status=status, content_type="text/plain", headers=headers)


def _hostname(request: HttpRequest) -> str:
    """The Host header without port, lower case. X-Forwarded-Host is never looked at."""
    host: str = request.META.get("HTTP_HOST") or request.META.get("SERVER_NAME", "")
    return host.partition(":")[0].rstrip(".").lower()
