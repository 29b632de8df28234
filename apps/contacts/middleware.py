"""People read times by their own tenant's clock."""

from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from apps.common.db import connection
from apps.contacts.ledger import ZONE_KEY, home_calendar

_SECONDS = 60


class TenantZoneMiddleware:
    """Activates the tenant's time zone for whoever is signed in; columns and the API stay in UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Without a session nobody is signed in, and respondents' pages stay without a query.
        signed_in = settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated
        if not signed_in or connection.schema_name == "public":
            return self.get_response(request)
        zone = cache.get_or_set(ZONE_KEY, lambda: home_calendar().zone, _SECONDS)
        with timezone.override(zone):
            return self.get_response(request)
