"""API keys: ``Authorization: Bearer rk_…``."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.common.db import connection
from apps.integrations.services import KeyRef, authenticate

PLATFORM = "public"  # a schema without keys
REALM = 'Bearer realm="Resonanz API"'


def key_of(request: HttpRequest | Request) -> KeyRef | None:
    """The request's key, if it is a valid one of the tenant the request is for."""
    kind, _, key = str(request.META.get("HTTP_AUTHORIZATION", "")).partition(" ")
    if kind.lower() not in ("bearer", "token") or not key or connection.schema_name == PLATFORM:
        return None
    return authenticate(key=key.strip(), now=timezone.now())


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
            raise AuthenticationFailed("Send “Authorization: Bearer <API key>” with a valid key of this tenant.")
        return ApiUser(key), key

    def authenticate_header(self, request: Request) -> str:
        return REALM


class HasScope(BasePermission):
    """The key carries the view's ``scope``."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, KeyRef) and request.auth.allows(view.scope)
