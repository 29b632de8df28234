"""The description of the API for machines (OpenAPI 3.1) and for people (Swagger UI, Redoc), all served from here."""

from functools import lru_cache

import msgspec
from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import override
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

URLCONF = "apps.api.urls_described"
# Both programs write their styles into the page; Redoc searches in a worker made of its own text.
_POLICY = csp_replace(
    {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF, "data:"],
        "connect-src": [SELF],
        "worker-src": ["blob:"],
    }
)


@lru_cache(maxsize=1)
def description() -> bytes:
    """The whole API, the same for every tenant. In English, whatever the first reader's language."""
    with override("en"):
        schema = SchemaGenerator(urlconf=URLCONF).get_schema(request=None, public=True)
    return msgspec.json.encode(schema, enc_hook=str)


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """The description as JSON."""
    answer = HttpResponse(description(), content_type="application/vnd.oai.openapi+json;version=3.1")
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


@require_safe
@_POLICY
def swagger(request: HttpRequest) -> HttpResponse:
    """The description to try out."""
    return render(request, "api/swagger.html")


@require_safe
@_POLICY
def redoc(request: HttpRequest) -> HttpResponse:
    """The description to read."""
    return render(request, "api/redoc.html")
