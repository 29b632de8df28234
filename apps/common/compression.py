"""Small pages sent small."""

import gzip

import brotli
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

# Good enough for a page of a few KB in well under a millisecond; a proxy may do more for what it caches.
_BROTLI_QUALITY = 5
_GZIP_LEVEL = 6


def compress(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Compress a response as the client accepts it. For pages that never mix a secret with what a stranger sent."""
    accepted = request.headers.get("Accept-Encoding", "")
    patch_vary_headers(response, ["Accept-Encoding"])
    if "br" in accepted:
        response.content = brotli.compress(response.content, quality=_BROTLI_QUALITY)
        response["Content-Encoding"] = "br"
    elif "gzip" in accepted:
        response.content = gzip.compress(response.content, _GZIP_LEVEL, mtime=0)
        response["Content-Encoding"] = "gzip"
    response["Content-Length"] = str(len(response.content))
    return response
