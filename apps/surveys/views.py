"""The tenant's logo, for everybody who looks at its pages."""

import re

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.views.decorators.http import require_safe

from apps.surveys.models import Logo

# Even opened by itself the picture can do nothing; other pages may show it.
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}
_is_digest = re.compile(r"[0-9a-f]{32}").fullmatch


@require_safe
def logo(request: HttpRequest, digest: str) -> HttpResponse:
    """The logo under this address; it never changes, a new one has another address."""
    found = Logo.objects.filter(digest=digest).first() if _is_digest(digest) else None
    if found is None:
        return HttpResponseNotFound("Not found.", content_type="text/plain")
    return HttpResponse(bytes(found.data), content_type=found.content_type, headers=_HEADERS)
