"""API keys: ``Authorization: Bearer rk_…``, or as the user name of HTTP Basic."""

import base64
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.common.db import connection
from apps.integrations.services import KeyRef, authenticate

PLATFORM = "public"  # a schema without keys
REALM = 'Bearer realm="Resonanz API"'
NO_KEY = "Send “Authorization: Bearer <API key>” with a valid key of this tenant."
MAX_HEADER = 500


def named_key(request: HttpRequest | Request) -> str:
    """The key as sent; empty if there is none."""
    header = str(request.META.get("HTTP_AUTHORIZATION", ""))
    kind, _, value = header.partition(" ")
    value = value.strip()
    if kind.lower() == "basic" and len(value) <= MAX_HEADER:
        try:
            # Some send the user name alone, without the colon that RFC 7617 asks for.
            value = base64.b64decode(value).decode().partition(":")[0]
        except ValueError:
            return ""
    elif kind.lower() not in ("bearer", "token"):
        return ""
    return value


def key_of(request: HttpRequest | Request) -> KeyRef | None:
    """The request's key, if it is a valid one of the tenant the request is for."""
    key = named_key(request)
    if not key or connection.schema_name == PLATFORM:
        return None
    return authenticate(key=key, now=timezone.now())


class ApiUser:
    """Stands for the key where Django REST framework wants a user."""

    is_authenticated = True

    def __init__(self, key: KeyRef) -> None:
        self.key = key


class ApiKeyAuthentication(BaseAuthentication):
    """Authenticates by API key; the middleware has chosen the tenant already."""

    def authenticate(self, request: Request) -> tuple[Any, KeyRef] | None:
        key = key_of(request)
        if key is None:
            raise AuthenticationFailed(NO_KEY)
        return ApiUser(key), key

    def authenticate_header(self, request: Request) -> str:
        return REALM


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """What the schema says about keys."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "rk_…",
            "description": "An API key of the tenant, made under Administration → API keys. "
            "Tools that only know HTTP Basic send it as the user name.",
        }


class HasScope(BasePermission):
    """The key carries the scope that the view asks for."""

    def has_permission(self, request: Request, view: Any) -> bool:
        scope = view.scope_of(request)
        self.message = f"The key needs the scope “{scope}”."
        return isinstance(request.auth, KeyRef) and request.auth.allows(scope)
