"""API keys, looked up in the database for every request."""

import hashlib
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.integrations.models import ApiKey


class KeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer …``, looked up by its hash."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey]:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        row = ApiKey.objects.filter(key_hash=hashlib.sha256(key.encode()).digest()).first()
        if row is None or not row.is_valid(timezone.now()):
            raise AuthenticationFailed
        return AnonymousUser(), row
