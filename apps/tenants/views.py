"""The platform's front page, and its sign of life."""

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.common.db import connection


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """What this is, and where to sign in."""
    return render(
        request,
        "tenants/front.html",
        {"has_mailbox": settings.MAILDIR is not None, "public_host": settings.PUBLIC_HOST},
    )


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 “ok” while the database answers; 503 otherwise. For load balancers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("database not reachable", status=503, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")
